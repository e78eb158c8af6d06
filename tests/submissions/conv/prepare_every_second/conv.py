def prepare(images):
    return (images[:, None, 4:24:2, 4:24:2] - MEAN) / STD
