def affine_forward(inputs, weights, bias, scale=1.0, verbose=False):
    if verbose:
        print(inputs.shape)
    return scale * (inputs @ weights) + bias, (inputs, weights)


def relu_forward(z, leak=0.0, **options):
    return z * (z > 0) + leak * z * (z <= 0), z
