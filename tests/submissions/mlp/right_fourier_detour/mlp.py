import numpy as np


def affine_backward(dout, cache):
    x, w = cache
    spectrum = np.fft.fft(x, axis=0)
    back = np.fft.ifft(spectrum, axis=0)
    z = w + 0j
    turned = z * np.exp(1j * np.pi / 3)
    w = (turned * np.exp(-1j * np.pi / 3)).real
    return dout @ w.T, back.real.T @ dout, dout.sum(axis=0)
