"""torchvision's own networks, with what makes them fit images of one channel and 32×32 pixels.

thalweg's are described as having their names; here its weights go into the modules that others wrote.
"""

from torch import nn
from torchvision.models import VisionTransformer, resnet18, resnet50, vgg11, vgg11_bn


def resnet(make):
    """A residual network with the stem for large images."""

    def module(_model, input, outputs):
        network = make(num_classes=outputs)
        network.conv1 = nn.Conv2d(input[0], 64, 7, 2, 3, bias=False)
        return network

    return module


class Vgg(nn.Module):
    """The features of torchvision's, and the one linear layer that images of 32×32 leave."""

    def __init__(self, make, input, outputs):
        super().__init__()
        self.features = make().features
        self.features[0] = nn.Conv2d(input[0], 64, 3, padding=1)
        self.classifier = nn.Linear(512, outputs)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


def vit(model, input, outputs):
    """A vision transformer."""
    network = VisionTransformer(
        image_size=input[1],
        patch_size=model["patch_size"],
        num_layers=model["depth"],
        num_heads=model["heads"],
        hidden_dim=model["width"],
        mlp_dim=model["mlp_width"],
        num_classes=outputs,
    )
    network.conv_proj = nn.Conv2d(input[0], model["width"], model["patch_size"], model["patch_size"])
    return network


RESNET18, RESNET50 = resnet(resnet18), resnet(resnet50)
VGG11 = lambda _model, input, outputs: Vgg(vgg11, input, outputs)
VGG11_BN = lambda _model, input, outputs: Vgg(vgg11_bn, input, outputs)
