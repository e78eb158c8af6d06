def text_backward(dscores, cache):
    embedded, recurrent, affine = cache
    dh, dw, dc = temporal_affine_backward(dscores, affine)
    dx, _, dwx, dwh, db = rnn_backward(dh, recurrent)
    return {"embed": embedding_backward(dh, embedded), "wx": dwx, "wh": dwh, "b": db, "w": dw, "c": dc}
