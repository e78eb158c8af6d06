def text_backward(dscores, cache):
    embedded, recurrent, affine = cache
    dh, dw, dc = temporal_affine_backward(dscores, affine)
    dx, _, dwh, dwx, db = rnn_backward(dh, recurrent)
    return {"embed": embedding_backward(dx, embedded), "wx": dwx, "wh": dwh, "b": db, "w": dw, "c": dc}
