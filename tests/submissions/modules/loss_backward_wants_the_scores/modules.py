import numpy as np



class SoftmaxLoss:
    def backward(self, scores, y):
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        return (e / e.sum(axis=1, keepdims=True) - one_hot(y, scores.shape[1], like=scores)) / len(scores)
