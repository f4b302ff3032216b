"""Recurrent layers and their cells, attention, Transformers."""

import torch
from torch import nn

from .. import record
from ..spec import Made as M


def given(*shapes, **keywords):
    """Inputs of normal numbers; a list of shapes is a tuple of inputs."""

    def inputs(dtype, g):
        def one(shape):
            return tuple(one(s) for s in shape) if isinstance(shape, list) else record.filled(shape, dtype, g)

        return [one(shape) for shape in shapes], keywords

    return inputs


RECURRENT = {
    **{name: ([M(cls, 4, 5)], given((6, 3, 4)), "train") for name, cls in (("rnn", nn.RNN), ("lstm", nn.LSTM), ("gru", nn.GRU))},
    **{f"{name}_deep": ([M(cls, 3, 4, num_layers=3, dropout=0.5)], given((5, 2, 3)), "eval") for name, cls in (("rnn", nn.RNN), ("lstm", nn.LSTM), ("gru", nn.GRU))},
    **{f"{name}_bidirectional": ([M(cls, 3, 4, num_layers=2, bidirectional=True)], given((5, 2, 3)), "train") for name, cls in (("rnn", nn.RNN), ("lstm", nn.LSTM), ("gru", nn.GRU))},
    **{f"{name}_one_step": ([M(cls, 3, 5, bidirectional=True)], given((1, 2, 3)), "train") for name, cls in (("rnn", nn.RNN), ("lstm", nn.LSTM), ("gru", nn.GRU))},
    **{f"{name}_no_bias": ([M(cls, 3, 4, bias=False)], given((5, 2, 3)), "train") for name, cls in (("rnn", nn.RNN), ("lstm", nn.LSTM), ("gru", nn.GRU))},
    **{f"{name}_unbatched": ([M(cls, 3, 4)], given((5, 3)), "train") for name, cls in (("rnn", nn.RNN), ("lstm", nn.LSTM), ("gru", nn.GRU))},
    **{f"{name}_batch_first": ([M(cls, 3, 4, batch_first=True)], given((2, 5, 3)), "eval") for name, cls in (("rnn", nn.RNN), ("lstm", nn.LSTM), ("gru", nn.GRU))},
    "rnn_relu": ([M(nn.RNN, 3, 4, nonlinearity="relu")], given((5, 2, 3)), "train"),
    "rnn_state": ([M(nn.RNN, 3, 4, 2, "relu", True, True, 0.0, True)], given((2, 5, 3), (4, 2, 4)), "train"),
    "gru_state": ([M(nn.GRU, 3, 4, num_layers=2, bidirectional=True, batch_first=True)], given((2, 5, 3), (4, 2, 4)), "train"),
    "lstm_state": ([M(nn.LSTM, 3, 4, num_layers=2, bidirectional=True, batch_first=True)], given((2, 5, 3), [(4, 2, 4), (4, 2, 4)]), "train"),
    "gru_state_unbatched": ([M(nn.GRU, 3, 4)], given((5, 3), (1, 4)), "train"),
    "lstm_state_unbatched": ([M(nn.LSTM, 3, 4)], given((5, 3), [(1, 4), (1, 4)]), "eval"),
    "lstm_projection": ([M(nn.LSTM, 3, 5, num_layers=2, proj_size=2)], given((4, 3, 3)), "train"),
    "lstm_projection_state": ([M(nn.LSTM, 3, 5, proj_size=2, bidirectional=True, bias=False)], given((4, 3, 3), [(2, 3, 2), (2, 3, 5)]), "train"),
    "lstm_wide": ([M(nn.LSTM, 2, 17)], given((2, 18, 2)), "train"),
    "gru_wide": ([M(nn.GRU, 2, 17)], given((2, 18, 2)), "train"),
    "lstm_cell": ([M(nn.LSTMCell, 3, 4)], given((2, 3)), "train"),
    "lstm_cell_state": ([M(nn.LSTMCell, 3, 4, bias=False)], given((2, 3), [(2, 4), (2, 4)]), "train"),
    "lstm_cell_unbatched": ([M(nn.LSTMCell, 3, 4)], given((3,), [(4,), (4,)]), "eval"),
    **{f"{name}_cell": ([M(cls, 3, 4)], given((2, 3)), "train") for name, cls in (("rnn", nn.RNNCell), ("gru", nn.GRUCell))},
    **{f"{name}_cell_state": ([M(cls, 3, 4, bias=False)], given((2, 3), (2, 4)), "train") for name, cls in (("rnn", nn.RNNCell), ("gru", nn.GRUCell))},
    **{f"{name}_cell_unbatched": ([M(cls, 3, 4)], given((3,), (4,)), "eval") for name, cls in (("rnn", nn.RNNCell), ("gru", nn.GRUCell))},
    "rnn_cell_relu": ([M(nn.RNNCell, 3, 4, nonlinearity="relu")], given((2, 3), (2, 4)), "train"),
    "linear_gru": ([M(nn.Linear, 3, 4), M(nn.Tanh), M(nn.GRU, 4, 2)], (5, 2, 3), "train"),
}

HIDDEN = torch.tensor([[False, True, False, False], [False, False, False, True], [True, False, False, False]])
FLOATS = torch.tensor([[0.5, -1.0, 0.0, 2.0], [float("-inf"), 0.0, 1.0, 0.25], [0.0, 0.0, float("-inf"), -0.5]])
CAUSAL = nn.Transformer.generate_square_subsequent_mask(3)
PADDED = torch.tensor([[False, False, False, True], [False, True, False, False]])


def same(*shape, **keywords):
    """One input for query, key and value."""
    return lambda dtype, g: ([record.filled(shape, dtype, g)] * 3, {k: typed(v, dtype) for k, v in keywords.items()})


def masked(*shapes, **keywords):
    """Inputs and masks, float ones of the inputs' dtype."""
    return lambda dtype, g: (given(*shapes)(dtype, g)[0], {k: typed(v, dtype) for k, v in keywords.items()})


def typed(value, dtype):
    """A float mask of a dtype; anything else as it is."""
    return value.to(dtype) if isinstance(value, torch.Tensor) and value.is_floating_point() else value


CROSS = ((3, 2, 4), (4, 2, 4), (4, 2, 4))
ATTENTION = {
    "attention": ([M(nn.MultiheadAttention, 4, 2)], masked(*CROSS), "train"),
    "attention_self": ([M(nn.MultiheadAttention, 4, 2)], same(3, 2, 4), "train"),
    "attention_self_batch_first": ([M(nn.MultiheadAttention, 4, 2, batch_first=True)], same(2, 3, 4, need_weights=False), "train"),
    "attention_plain": ([M(nn.MultiheadAttention, 4, 2, dropout=0.5)], masked(*CROSS, need_weights=False), "eval"),
    "attention_no_bias": ([M(nn.MultiheadAttention, 4, 4, bias=False)], masked(*CROSS, average_attn_weights=False), "train"),
    "attention_unbatched": ([M(nn.MultiheadAttention, 4, 2, batch_first=True)], masked((3, 4), (4, 4), (4, 4)), "train"),
    "attention_sizes": ([M(nn.MultiheadAttention, 4, 2, kdim=3, vdim=5)], masked((3, 2, 4), (4, 2, 3), (4, 2, 5)), "train"),
    "attention_extra": ([M(nn.MultiheadAttention, 4, 2, add_bias_kv=True, add_zero_attn=True)], masked(*CROSS, attn_mask=HIDDEN, key_padding_mask=PADDED), "train"),
    "attention_extra_batch_first": ([M(nn.MultiheadAttention, 4, 2, add_bias_kv=True, batch_first=True)], same(3, 2, 4), "train"),
    "attention_extra_plain": ([M(nn.MultiheadAttention, 4, 2, add_zero_attn=True)], masked(*CROSS, attn_mask=FLOATS, need_weights=False), "train"),
    "attention_mask": ([M(nn.MultiheadAttention, 4, 2)], masked(*CROSS, attn_mask=HIDDEN), "train"),
    "attention_mask_float": ([M(nn.MultiheadAttention, 4, 2)], masked(*CROSS, attn_mask=FLOATS, need_weights=False), "train"),
    "attention_mask_heads": ([M(nn.MultiheadAttention, 4, 2)], masked(*CROSS, attn_mask=torch.stack([HIDDEN, ~HIDDEN, HIDDEN, HIDDEN]), average_attn_weights=False), "train"),
    "attention_padding": ([M(nn.MultiheadAttention, 4, 2, batch_first=True)], masked((2, 3, 4), (2, 4, 4), (2, 4, 4), key_padding_mask=PADDED, need_weights=False), "train"),
    "attention_padding_float": ([M(nn.MultiheadAttention, 4, 2)], masked(*CROSS, key_padding_mask=FLOATS[:2], attn_mask=FLOATS), "eval"),
    "attention_causal": ([M(nn.MultiheadAttention, 4, 2)], same(3, 2, 4, attn_mask=CAUSAL, is_causal=True, need_weights=False), "train"),
    "attention_causal_weights": ([M(nn.MultiheadAttention, 4, 2)], same(3, 2, 4, attn_mask=CAUSAL, is_causal=True), "train"),
    "attention_all_hidden": ([M(nn.MultiheadAttention, 4, 2)], masked(*CROSS, attn_mask=torch.tensor([[True], [False], [False]]).expand(3, 4), need_weights=False), "train"),
    "attention_all_hidden_weights": ([M(nn.MultiheadAttention, 4, 2)], masked(*CROSS, attn_mask=torch.tensor([[True], [False], [False]]).expand(3, 4)), "train"),
    "attention_long": ([M(nn.MultiheadAttention, 2, 1)], masked((70, 1, 2), (300, 1, 2), (300, 1, 2), need_weights=False), "train"),
}

SMALL = {"d_model": 4, "nhead": 2, "dim_feedforward": 6, "dropout": 0.0}
ENCODER = M(nn.TransformerEncoderLayer, **SMALL)
DECODER = M(nn.TransformerDecoderLayer, **SMALL)
SQUARE = HIDDEN[:, :3]
TWO = ((3, 2, 4), (5, 2, 4))
MEMORY = torch.tensor([[False, True, False, False, False], [False, False, False, True, True]])
TRANSFORMER = {
    "encoder_layer": ([ENCODER], given((3, 2, 4)), "train"),
    "encoder_layer_default": ([M(nn.TransformerEncoderLayer, 4, 2, 7)], given((3, 2, 4)), "eval"),
    "encoder_layer_gelu": ([M(nn.TransformerEncoderLayer, **SMALL, activation="gelu", layer_norm_eps=0.1)], given((3, 2, 4)), "train"),
    "encoder_layer_norm_first": ([M(nn.TransformerEncoderLayer, **SMALL, norm_first=True, batch_first=True)], masked((2, 3, 4), src_mask=SQUARE), "train"),
    "encoder_layer_no_bias": ([M(nn.TransformerEncoderLayer, **SMALL, bias=False)], masked((3, 4), src_key_padding_mask=PADDED[0, 1:]), "train"),
    "encoder_layer_causal": ([ENCODER], masked((3, 2, 4), src_mask=CAUSAL, is_causal=True), "train"),
    "encoder": ([M(nn.TransformerEncoder, ENCODER, 2)], given((3, 2, 4)), "train"),
    "encoder_norm": ([M(nn.TransformerEncoder, ENCODER, 2, norm=M(nn.LayerNorm, 4), enable_nested_tensor=False)], masked((3, 2, 4), mask=CAUSAL, src_key_padding_mask=torch.zeros(2, 3)), "train"),
    "decoder_layer": ([DECODER], given(*TWO), "train"),
    "decoder_layer_masks": ([M(nn.TransformerDecoderLayer, **SMALL, norm_first=True, activation="gelu")], masked(*TWO, tgt_mask=SQUARE, memory_key_padding_mask=MEMORY), "train"),
    "decoder_layer_unbatched": ([M(nn.TransformerDecoderLayer, **SMALL, bias=False, batch_first=True)], masked((3, 4), (4, 4), tgt_mask=CAUSAL, tgt_is_causal=True, memory_mask=HIDDEN), "eval"),
    # eps 0.1: with the usual one, norms of four numbers one after the other show the rounding of every product below
    "decoder": ([M(nn.TransformerDecoder, M(nn.TransformerDecoderLayer, **SMALL, layer_norm_eps=0.1), 2, norm=M(nn.LayerNorm, 4))], masked(*TWO, tgt_mask=CAUSAL, tgt_is_causal=True), "train"),
    "transformer": ([M(nn.Transformer, 4, 2, 1, 2, 6, dropout=0.0)], given((5, 2, 4), (3, 2, 4)), "train"),
    "transformer_masks": ([M(nn.Transformer, 4, 2, 1, 1, 5, dropout=0.3, batch_first=True, norm_first=True)], masked((2, 5, 4), (2, 3, 4), tgt_mask=CAUSAL, src_key_padding_mask=MEMORY.float().masked_fill(MEMORY, float("-inf")), memory_key_padding_mask=MEMORY), "eval"),
}

MODULES = RECURRENT | ATTENTION | TRANSFORMER
