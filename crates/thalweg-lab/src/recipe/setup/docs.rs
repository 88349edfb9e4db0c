//! The comments of what every recipe that trains is told.

/// The comment of the field at that dotted path.
pub(in crate::recipe) fn doc(path: &str) -> Option<&'static str> {
    Some(match path {
        "dtype" => "Precision of training and of every measurement: \"f32\" or \"f64\".",
        "model" => "The network.",
        "model.kind" => {
            "\"mlp\": a multilayer perceptron (widths, activation, bias, layer_norm). \"linear\": a linear map in one layer or in\n\
             several (widths, bias). \"autoencoder\": fully connected (widths, activation), with train.loss \"reconstruction\".\n\
             \"lenet_300_100\" (activation), \"lenet5\" (activation, pool). \"conv2\", \"conv4\", \"conv6\":\n\
             those of Frankle & Carbin (width, dense, activation). \"vgg11\", \"vgg13\", \"vgg16\", \"vgg19\": for images of\n\
             32×32 (width, norm, groups, activation). \"resnet20\", \"resnet32\", \"resnet44\", \"resnet56\", \"resnet110\": for images\n\
             of 32×32 (width, norm, groups, shortcut, activation). \"wide_resnet\" (depth, widen, norm, groups, activation, dropout).\n\
             \"resnet18\", \"resnet50\" (stem, width, norm, groups, activation). \"vit\": a vision transformer (patch_size,\n\
             width, depth, heads, mlp_width, dropout, attention_dropout). \"gpt\": a language model for a text_file (width, depth,\n\
             heads, mlp_width, embedding_dropout, attention_dropout, residual_dropout). \"rnn\", \"lstm\": over the rows of an image,\n\
             with an embedding a language model (units, depth, embedding, dropout). \"layers\": a network of your own (layers). Each\n\
             with init. A dropout or embedding that is not given is none, and not printed."
        }
        "model.widths" => "Units of each hidden layer; [] is a linear map.",
        "model.width" => {
            "Channels of the first convolutions (later ones have multiples); units of a transformer's residual stream."
        }
        "model.depth" => {
            "Blocks of a transformer; layers of a recurrent network; 6n + 4 layers of a wide residual network."
        }
        "model.widen" => "Factor of the channels of a wide residual network.",
        "model.stem" => {
            "\"small\" (a convolution 3×3) or \"large\" (7×7 and a max pool, each at stride 2, for large images)."
        }
        "model.shortcut" => {
            "Around blocks that change shapes \"pad\" (zeros, option A) or \"project\" (a convolution 1×1, option B), around others\n\
             the identity; \"none\": nothing around any."
        }
        "model.patch_size" => "Rows and columns of a patch, which divide those of the image.",
        "model.heads" => "Heads of attention, which divide the width.",
        "model.mlp_width" => "Hidden units of each block's perceptron.",
        "model.dropout" => {
            "How probable it is in training that a number is dropped: of a vision transformer, of tokens with their positions, of\n\
             the perceptrons' hidden units, and of what attention and perceptron add; of a recurrent network, between its layers;\n\
             of a wide residual network, between the convolutions of a block. Measurements drop nothing."
        }
        "model.attention_dropout" => "The same of the weights with which positions attend to one another.",
        "model.embedding_dropout" => "The same of tokens with their positions.",
        "model.residual_dropout" => "The same of what attention and perceptron add.",
        "model.embedding" => {
            "Numbers of the vector that a token is looked up as; a recurrent network that has one is for a text_file."
        }
        "model.units" => "Hidden units of each recurrent layer.",
        "model.dense" => "Units of each hidden linear layer.",
        "model.pool" => "\"max\" or \"average\".",
        "model.norm" => {
            "What stands between a convolution and its activation: \"none\", \"batch\" or \"group\"; of \"resnet…\" \"batch\", \"group\"\n\
             or \"fixup\" (no norm: trained scalars, and initial weights that keep sums in bounds)."
        }
        "model.groups" => "Groups of channels of a group norm; no effect without.",
        "model.layers" => {
            "One after another: [\"conv 16 3x3 pad=1\", \"groupnorm 4\", \"relu\", \"maxpool 2\", \"flatten\", \"linear 10\"]. Options, with\n\
             what holds otherwise: linear nobias; conv stride=1 pad=0 (or same) dilation=1 groups=1 nobias; maxpool, avgpool\n\
             stride=(the window) pad=0 (maxpool: dilation=1). Also globalmaxpool, globalavgpool, subsample 32 (stride=2),\n\
             batchnorm, layernorm, instancenorm, dropout 0.5, tanh, erf, sigmoid, gelu, silu; and sums of two ways: { residual = [\"conv 16 3x3 pad=1\", \"relu\"], shortcut = [\"conv 16 1x1\"] }."
        }
        "model.activation" => "\"relu\", \"tanh\", \"erf\", \"sigmoid\", \"gelu\", \"silu\" or \"linear\".",
        "model.bias" => "Whether the linear layers have biases.",
        "model.layer_norm" => "Whether a layer norm stands before each activation.",
        "model.init" => "Initial weights.",
        "model.init.kind" => {
            "\"he\", \"glorot\", \"lecun\" (each with a distribution), \"mean_field\" (sigma_w, sigma_b) or \"torch\".\n\
             A variant is given with its fields: --set 'model.init={kind=\"mean_field\", sigma_w=1.5, sigma_b=0.1}'."
        }
        "model.init.distribution" => "\"normal\" or \"uniform\".",
        "model.init.sigma_w" => "A weight has the deviation sigma_w/√fan_in.",
        "model.init.sigma_b" => "Deviation of a bias.",
        "initial" => "Initial weights from a file in place of drawn ones.",
        "initial.path" => {
            "A safetensors file in F32 or F64 or a .pt file: a checkpoint of thalweg, or a module's state dict with the same names. Of\n\
             \"mlp\" the linear layers are `layers` and the layer norms `norms`: layers.0.weight [out, in], layers.0.bias [out],\n\
             norms.0.weight, … (a bare nn.Sequential's 0.weight, 2.weight, … must be renamed). \"layers\" has the names of a\n\
             nn.Sequential; \"lenet5\" and \"conv2\" to \"conv6\" have conv1.weight, fc1.weight, …"
        }
        "initial.blake3" => "Its BLAKE3 digest: part of the run's identity, filled in from the file.",
        "data" => "The data, split into a part to train on and one held out.",
        "data.kind" => {
            "\"digits\": the embedded handwritten digits, 8×8 pixels, 1437 to train on and 360 held out; with enlarge=4 of 32×32, each\n\
             pixel repeated both ways (scaling, train_examples, enlarge). \"mnist\", \"fashion_mnist\", \"cifar10\", \"cifar100\",\n\
             \"cifar100_coarse\": their published files, in --data-dir, the folder that THALWEG_DATA names, the user's data folder or\n\
             /usr/share/datasets (scaling, classes, train_examples, test_examples, seed, random_labels). \"synthetic\": examples of\n\
             known geometry (set, train_examples, test_examples, seed, random_labels).\n\
             \"npz\": arrays of NumPy's archive (path, inputs_train, labels_train, inputs_test, labels_test, number_of_classes, and\n\
             what published sets have). \"csv\": a table of numbers (path, label, header, shape, number_of_classes, and the same).\n\
             \"image_folder\": PNG and JPEG files in a folder a class, below train and test or alone (path, channels, and the same).\n\
             \"digits_file\": a CSV file of that format (path, examples, test_examples, scaling). \"text_file\": a text in windows of\n\
             characters, for a language model (path, context, test_examples)."
        }
        "data.scaling" => {
            "\"standardised\" (mean 0, variance 1 over the training part), \"standardised_by_channel\" (the same in each channel, the\n\
             first axis of an example; of a table's row without a shape, in each column), \"unit_interval\" (pixels in [0, 1])\n\
             or \"as_given\" (numbers as the file has them)."
        }
        "data.enlarge" => "Repeat each pixel so many times both ways: 4 makes 32×32 of digits.",
        "data.train_examples" => "Train on so many examples only, each class in proportion.",
        "data.classes" => "Which classes, as [3, 5]: the first becomes class 0, and so on. All unless given.",
        "data.seed" => {
            "Which examples are drawn, and which labels are random. Not the run's seed, so that runs share their data."
        }
        "data.random_labels" => {
            "Share of the labels to train on that are drawn anew, uniform over all classes (Zhang et al. 2017)."
        }
        "data.set" => "What synthetic examples are like.",
        "data.set.kind" => {
            "\"gaussian_mixture\": a normal distribution a class (features, classes, separation: how far each mean is from 0, in\n\
             deviations). \"spirals\": arms in the plane (arms, noise). \"parity\": signs, labelled by the product of the first few\n\
             (features, of). \"great_circle\": a circle of radius √features, labelled by its sectors (features, classes).\n\
             \"teacher_student\": standard normal inputs, labelled by a network of one hidden layer with random weights\n\
             (features, hidden, classes, activation)."
        }
        "data.set.features" => "Numbers of an example.",
        "data.set.classes" => "Classes.",
        "data.set.separation" => "Distance of a class's mean from 0, in deviations.",
        "data.set.arms" => "Arms of the spiral, a class each.",
        "data.set.noise" => "Deviation of what is added to both coordinates.",
        "data.set.hidden" => "Hidden units of the teacher.",
        "data.set.activation" => "What follows them: \"relu\", \"tanh\" or \"erf\".",
        "data.set.of" => "How many signs count.",
        "data.path" => {
            "The file. Of digits, plain or gzipped: rows of 64 pixels from 0 to 16 and a label from 0 to 9. A text in UTF-8. What\n\
             numpy.savez or savez_compressed wrote. A table, plain or gzipped. The folder of an image_folder."
        }
        "data.inputs_train" => {
            "The array of inputs to train on, [examples, …] in any shape, channels first: floating-point numbers, whole ones, or\n\
             bytes, which are pixels and become pixel/255 unless scaling is \"as_given\"."
        }
        "data.labels_train" => {
            "The array of their labels, whole numbers [examples], or [examples, positions] for a language model."
        }
        "data.inputs_test" => "The array of inputs held out: x_test, if there is one, unless given.",
        "data.labels_test" => {
            "The array of their labels: y_test, if there is one, unless given. Without both, test_examples of the others are held out."
        }
        "data.number_of_classes" => {
            "How many classes there are; the largest label and one more unless given."
        }
        "data.label" => "The column of the labels, by its name or its number from 1; the last unless given.",
        "data.header" => {
            "Whether the first line has names; unless given, it does if not all of it are numbers."
        }
        "data.shape" => {
            "Shape of an example, as [1, 28, 28], channels first; all its numbers in a row unless given."
        }
        "data.channels" => {
            "1 makes all images grey, 3 gives grey ones three equal channels; unless given, all must be like the first."
        }
        "data.context" => "Characters in a window; the label of each is the one that follows.",
        "data.examples" => {
            "Rows that it must have; without it, a file cut off at the end of a row passes for a whole one."
        }
        "data.test_examples" => {
            "Examples held out; of a text the last windows, a tenth of all unless given; of a published set drawn like those to\n\
             train on, all unless given. Of npz, csv and image_folder the same as of a published set where the files have a part\n\
             held out, else drawn before classes and train_examples are selected, each class in proportion, a tenth unless given."
        }
        "data.blake3" => {
            "The BLAKE3 digest of the file, or of the pixels and labels of a published set or an image_folder: part of the run's identity, filled in."
        }
        "train" => "Training.",
        "train.loss" => {
            "\"cross_entropy\" (nats), \"half_mean_square\" (½‖f − y‖²) or \"reconstruction\" (½‖f − x‖² against the\n\
             inputs, summed over their numbers: for an autoencoder); the mean over examples."
        }
        "train.label_smoothing" => {
            "Share of every label that goes to all classes alike, in [0, 1); for cross-entropy. Part of the loss wherever it is\n\
             measured, too."
        }
        "train.epochs" => "Passes over the training set.",
        "train.steps" => "Steps of the optimiser, in place of epochs.",
        "train.batch_size" => "Examples in a batch, or \"full\" for gradient descent.",
        "train.lr" => "The learning rate at its highest.",
        "train.schedule" => "How the learning rate goes from there; times are shares of the run.",
        "train.schedule.kind" => {
            "\"constant\", \"cosine\" (end) or \"steps\" (milestones, factor), each with warmup."
        }
        "train.schedule.end" => "Share of the rate that is left at the end.",
        "train.schedule.milestones" => "Where the rate falls, in ascending shares of the run.",
        "train.schedule.factor" => "What it is multiplied by at each milestone.",
        "train.schedule.warmup" => "Share of the run over which the rate rises from 0.",
        "train.clip_norm" => {
            "The norm that a gradient is shortened to if it is longer, as PyTorch's clip_grad_norm_ does."
        }
        "train.augment" => {
            "How images are changed whenever they are seen, keyed by epoch and example; measurements see them as they are."
        }
        "train.augment.shift" => {
            "Pixels that an image moves at most each way; what comes in repeats its border."
        }
        "train.augment.crop" => {
            "Rows and columns of zeros around an image, of which a window of its own size is cut out (He et al. 2016: 4)."
        }
        "train.augment.flip" => "Whether an image is mirrored left to right with probability 1/2.",
        "train.optimiser" => {
            "The optimiser, with PyTorch's definitions. `train.clip_norm` shortens longer gradients to that norm, and `train.augment`\n\
             (shift, crop, flip) changes images whenever they are seen."
        }
        "train.optimiser.kind" => {
            "\"sgd\" (momentum, nesterov, weight_decay), \"adam\" or \"adamw\" (beta_1, beta_2, eps, weight_decay), \"rmsprop\" (alpha,\n\
             eps, momentum, weight_decay), \"adagrad\" (eps, weight_decay) or \"sam\", sharpness-aware SGD (rho, adaptive, momentum,\n\
             nesterov, weight_decay). With batch_size = \"full\": \"lbfgs\" (history, tolerance_grad, tolerance_change), which wants\n\
             lr = 1 and a constant schedule, or \"gradient_flow\" (rtol, atol, substeps_max), whose steps are as long in time as lr."
        }
        "train.optimiser.rho" => "Length of the way up the hill to where SAM's second gradient is taken.",
        "train.optimiser.adaptive" => "Whether that way is in units of each parameter's size (ASAM).",
        "train.optimiser.history" => {
            "Pairs of steps and changes of the gradient that are kept, from 1 to 100."
        }
        "train.optimiser.tolerance_grad" => {
            "The largest element of a gradient that counts as 0: nothing moves then."
        }
        "train.optimiser.tolerance_change" => {
            "Slopes above minus this are no descent, and shorter intervals are searched no further."
        }
        "train.optimiser.rtol" => "Error allowed to a substep in units of each parameter's size.",
        "train.optimiser.atol" => "The same beside that, in absolute units.",
        "train.optimiser.substeps_max" => {
            "Substeps that may be tried in a step; a run that wants more ends there."
        }
        "train.optimiser.momentum" => "In [0, 1).",
        "train.optimiser.nesterov" => "Whether the step looks ahead; needs momentum.",
        "train.optimiser.weight_decay" => "Multiple of θ that is added to the gradient (AdamW: to the step).",
        "train.optimiser.alpha" => "Decay of the mean of the gradient's square.",
        "train.optimiser.beta_1" => "Decay of the gradient's mean.",
        "train.optimiser.beta_2" => "Decay of its square's.",
        "train.optimiser.eps" => "Added to the root of the mean square.",
        "checkpoints" => {
            "When θ is kept, beside before the first step and after the last. Others can be named: at = [\"500it\", \"160ep\"]."
        }
        "checkpoints.per_decade" => "Checkpoints for each factor of ten in steps; 0 for none.",
        "noise_seed" => "From it come the order of examples and what dropout drops, in place of `seed`.",
        "evaluate" => {
            "How often the held-out set is looked at: \"1ep\", after every epoch, or \"500it\", after every 500 steps."
        }
        "stop" => {
            "When training ends before its last step, at a look at the held-out set: metric (\"loss_batches\", \"error_batches\",\n\
             \"loss_test\" or \"error_test\"), below, patience, min_delta."
        }
        "stop.metric" => "A column of metrics.csv, of which less is better.",
        "stop.below" => "Training ends once it is at most this.",
        "stop.patience" => "Training ends once so many looks in a row were no better than the best before.",
        "stop.min_delta" => "How much smaller than the best a number must be to be better.",
        "checkpoints.at" => "Others, as [\"500it\", \"160ep\"]: after so many steps, or epochs.",
        "checkpoints.every_epochs" => "Epochs between two others; 0 for none.",
        _ => return None,
    })
}
