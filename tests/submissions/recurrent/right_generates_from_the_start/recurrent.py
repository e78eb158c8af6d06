import numpy as np


def generate(params, first, length):
    codes = [[int(code)] for code in first]
    for _ in range(length):
        scores, _ = text_forward(params, np.array(codes))
        for line, row in zip(codes, scores[:, -1]):
            line.append(max(range(len(row)), key=lambda v: row[v]))
    return np.array([line[1:] for line in codes])
