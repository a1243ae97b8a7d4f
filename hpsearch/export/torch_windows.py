"""The PyTorch texts of convolutions and pools, padded by hand where PyTorch pads both ends alike."""

from collections.abc import Iterable, Sequence

from hpsearch.engine.layers import KINDS
from hpsearch.engine.layers.ports import Shape
from hpsearch.engine.layers.unfold import Axis, window_of
from hpsearch.spec.layers import LayerSettings


def _axes(layer: LayerSettings, shape: Shape) -> tuple[Axis, ...]:
    window = window_of(layer, shape)
    return (window.down, window.right) if len(shape) == 3 else (window.right,)


def _padding(axes: Sequence[Axis]) -> tuple[str, str]:
    """What surrounds the numbers: as an argument where it is as much in front as behind, else as numbers of its own."""
    if all(before == after for before, after in (axis.zeros for axis in axes)):
        before = _each(axis.zeros[0] for axis in axes)
        return ("" if before == "0" else f", padding={before}"), ""
    return "", repr(tuple(count for axis in reversed(axes) for count in axis.zeros))


def convolution(layer: LayerSettings, shape: Shape) -> tuple[list[str], str]:
    """What pads in front of a convolution, and the convolution."""
    axes = _axes(layer, shape)
    padding, around = _padding(axes)
    outputs = KINDS[layer.kind].shape(layer, shape)[-1]
    groups = shape[-1] if layer.kind == "depthwise_convolution" else layer.get("groups", 1)
    settings = "".join(
        f", {name}={value}"
        for name, value in (
            ("stride", _each(axis.stride for axis in axes)),
            ("dilation", _each(axis.dilation for axis in axes)),
            ("groups", str(groups)),
        )
        if value != "1"
    )
    kernel = _each(axis.kernel for axis in axes)
    text = f"nn.Conv{len(axes)}d({shape[-1]}, {outputs}, {kernel}{padding}{settings})"
    return [f"nn.ZeroPad{len(axes)}d({around}),"] if around else [], text


def pool(layer: LayerSettings, shape: Shape) -> str:
    """The largest values or means under windows; what is outside does not count."""
    axes = _axes(layer, shape)
    padding, around = _padding(axes)
    kernel, stride = _each(axis.kernel for axis in axes), _each(axis.stride for axis in axes)
    size = kernel if kernel == stride else f"{kernel}, stride={stride}"
    if layer.kind == "max_pool":
        pool = f"nn.MaxPool{len(axes)}d({size}{padding})"
        return f"nn.Sequential(nn.ConstantPad{len(axes)}d({around}, -torch.inf), {pool})" if around else pool
    if around:
        return f"MeanInside(nn.ZeroPad{len(axes)}d({around}), nn.AvgPool{len(axes)}d({size}))"
    inside = ", count_include_pad=False" if padding else ""
    return f"nn.AvgPool{len(axes)}d({size}{padding}{inside})"


def _each(values: Iterable[int]) -> str:
    """One number for all axes where they are equal."""
    found = tuple(values)
    return str(found[0]) if len(set(found)) == 1 else repr(found)
