// The parts of plotly.js that a thalweg page draws with, and nothing else.
var Plotly = require('plotly.js/lib/core');
Plotly.register([require('plotly.js/lib/contour'), require('plotly.js/lib/surface'), require('plotly.js/lib/scatter3d')]);
module.exports = Plotly;
