"""Recurrent layers: simple recurrent networks, LSTM and GRU."""
