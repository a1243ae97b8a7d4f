"""Pictures: folders, tables of paths, idx files, arrays, tables of pixels; what is refused; what a model takes."""

import gzip
import io
import struct

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hpsearch.data import prepare
from hpsearch.data.images import ImagePreparer
from hpsearch.data.kinds import preparer_from_json
from hpsearch.data.loading import load_special
from hpsearch.errors import DataError
from hpsearch.spec import DataSpec

RANDOM = np.random.default_rng(0)


def picture(size=(6, 5), *, channels=3):
    shape = (*size, 3) if channels == 3 else size
    return Image.fromarray(RANDOM.integers(0, 256, shape, dtype=np.uint8))


def folder(root, *, counts=(6, 6), save="png", **how):
    for label, count in zip(("cat", "dog"), counts, strict=True):
        (root / label).mkdir(parents=True)
        for i in range(count):
            picture(**how).save(root / label / f"{i}.{save}")
    return root


def load(base, source, **given):
    raw, _ = load_special(DataSpec(source=source, **given), base=base)
    return raw


def refusal(base, source, **given):
    with pytest.raises(DataError) as caught:
        prepare(DataSpec(source=source, **given), seed=0, base=base)
    return str(caught.value)


def idx(path, array):
    head = b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    with (gzip.open if path.suffix == ".gz" else open)(path, "wb") as file:
        file.write(head + array.tobytes())


def test_a_folder_a_class_gives_pictures_with_their_classes(tmp_path):
    folder(tmp_path / "pets", counts=(3, 2))
    raw = load(tmp_path, "pets/")
    assert raw.inputs.pixels.shape == (5, 6, 5, 3)
    assert raw.targets["class"].tolist() == ["cat"] * 3 + ["dog"] * 2
    expected = np.asarray(Image.open(tmp_path / "pets/dog/1.png"))
    np.testing.assert_array_equal(raw.inputs.pixels[4], expected)


def test_gray_pictures_have_one_channel_and_one_in_colour_makes_three(tmp_path):
    folder(tmp_path / "gray", counts=(2, 2), channels=1)
    assert load(tmp_path, "gray/").inputs.pixels.shape == (4, 6, 5, 1)
    assert load(tmp_path, "gray/", image={"color": "rgb"}).inputs.pixels.shape == (4, 6, 5, 3)
    picture().save(tmp_path / "gray/cat/0.png")
    assert load(tmp_path, "gray/").inputs.pixels.shape == (4, 6, 5, 3)
    assert load(tmp_path, "gray/", image={"color": "gray"}).inputs.pixels.shape == (4, 6, 5, 1)


def test_folders_named_like_parts_are_the_parts(tmp_path):
    folder(tmp_path / "pets/train", counts=(3, 3))
    folder(tmp_path / "pets/val", counts=(2, 2))
    folder(tmp_path / "pets/test", counts=(1, 2))
    raw = load(tmp_path, "pets/")
    assert {part: int((raw.part == part).sum()) for part in set(raw.part)} == {
        "train": 6,
        "validation": 4,
        "test": 3,
    }


def test_pictures_of_several_sizes_are_refused_with_the_way_out_and_resized_when_asked(tmp_path):
    folder(tmp_path / "pets")
    picture((9, 9)).save(tmp_path / "pets/dog/4.png")
    assert refusal(tmp_path, "pets/") == (
        "pets/dog/4.png: is 9 x 9 pixels (height x width), the first picture 6 x 5; 1 of 12 differ from it; "
        "bring all to one size with data.image.size: [6, 5]"
    )
    assert load(tmp_path, "pets/", image={"size": 4}).inputs.pixels.shape == (12, 4, 4, 3)
    assert load(tmp_path, "pets/", image={"size": [3, 7]}).inputs.pixels.shape == (12, 3, 7, 3)


def test_resizing_averages_what_a_new_pixel_covers():
    from hpsearch.data.pictures import _decoded

    file = io.BytesIO()
    Image.fromarray(np.kron([[0, 100], [200, 40]], np.ones((8, 8))).astype(np.uint8)).save(file, "PNG")
    shrunk = _decoded(file, (4, 4), "L")[..., 0]
    np.testing.assert_array_equal(shrunk[[0, 0, 3, 3], [0, 3, 0, 3]], [0, 100, 200, 40])


def test_a_table_of_paths_and_labels_starts_at_the_tables_directory(tmp_path):
    folder(tmp_path / "sub/pets", counts=(2, 2))
    (tmp_path / "sub/pets.csv").write_text(
        "path,who,label\n" + "".join(f"pets/{a}/{i}.png,p{i},{a}\n" for a in ("cat", "dog") for i in (0, 1))
    )
    spec = DataSpec(source="sub/pets.csv", kind="image", target="label")
    from hpsearch.data.loading import of_kind
    from hpsearch.data.sources import load as load_table
    from hpsearch.data.sources import select

    raw = of_kind(
        select(load_table(spec.source, base=tmp_path), spec.source, target="label", drop=()),
        spec,
        base=tmp_path,
    )
    assert raw.inputs.pixels.shape == (4, 6, 5, 3)
    assert raw.about["who"].tolist() == ["p0", "p1", "p0", "p1"]
    (tmp_path / "sub/pets/cat/1.png").unlink()
    assert refusal(tmp_path, "sub/pets.csv", kind="image", target="label") == (
        "sub/pets.csv:3: pets/cat/1.png: there is no such file; paths start at the table's directory"
    )


def test_broken_pictures_are_all_named(tmp_path):
    folder(tmp_path / "pets")
    whole = (tmp_path / "pets/cat/0.png").read_bytes()
    (tmp_path / "pets/cat/1.png").write_bytes(b"")
    (tmp_path / "pets/cat/2.png").write_text("no picture")
    deep = Image.fromarray(np.zeros((6, 5), np.uint16))
    deep.save(tmp_path / "pets/cat/3.png")
    said = refusal(tmp_path, "pets/").splitlines()
    assert said == [
        "pets/cat/1.png: is no PNG or JPEG picture; leave it out, or save it anew",
        "pets/cat/2.png: is no PNG or JPEG picture; leave it out, or save it anew",
        "pets/cat/3.png: must have 8 bits a channel, got mode I;16; save it with 8 bits a channel",
    ]
    for i in (1, 2, 3):
        (tmp_path / f"pets/cat/{i}.png").write_bytes(whole)
    (tmp_path / "pets/dog/5.png").write_bytes(whole[:60])
    assert refusal(tmp_path, "pets/").startswith("pets/dog/5.png: cannot be read: ")


def test_a_head_that_claims_too_many_pixels_is_refused_before_decoding(tmp_path):
    folder(tmp_path / "pets")
    file = tmp_path / "pets/cat/0.png"
    content = bytearray(file.read_bytes())
    content[16:24] = struct.pack(">II", 60_000, 60_000)
    import zlib

    content[29:33] = struct.pack(">I", zlib.crc32(bytes(content[12:29])))
    file.write_bytes(bytes(content))
    assert refusal(tmp_path, "pets/") == (
        "pets/cat/0.png: its head claims 60000 x 60000 pixels, of at most 50,000,000; "
        "bring a smaller picture, or leave it out"
    )


def test_a_folder_without_classes_is_refused(tmp_path):
    folder(tmp_path / "pets")
    assert "must have a folder of PNG or JPEG pictures for each of two classes" in refusal(
        tmp_path, "pets/cat/"
    )
    assert "there is no folder" in refusal(tmp_path, "dogs/")


def test_mnists_files_are_read_with_their_labels_and_the_test_files_beside(tmp_path):
    x, y = RANDOM.integers(0, 256, (12, 4, 4), dtype=np.uint8), np.arange(12, dtype=np.uint8) % 2
    for part, rows in (("train", slice(0, 8)), ("t10k", slice(8, 12))):
        idx(tmp_path / f"{part}-images-idx3-ubyte.gz", x[rows])
        idx(tmp_path / f"{part}-labels-idx1-ubyte.gz", y[rows])
    raw = load(tmp_path, "train-images-idx3-ubyte.gz")
    np.testing.assert_array_equal(raw.inputs.pixels, x[..., None])
    assert raw.targets["label"].tolist() == y.tolist()
    assert raw.part.tolist() == ["train"] * 8 + ["test"] * 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\0\0\x0d\x03", "is no idx file of bytes with 3 or 4 dimensions"),
        (b"\0\0\x08\x03" + struct.pack(">III", 2, 2, 2) + b"1234", "is 4 bytes shorter than its head says"),
        (b"\0\0\x08\x03" + struct.pack(">III", 1, 2, 2) + b"12345", "is longer than its head says"),
        (
            b"\0\0\x08\x03" + struct.pack(">III", 4_000_000_000, 4_000_000_000, 4),
            "would unpack from 16 bytes to",
        ),
    ],
)
def test_damaged_idx_files_are_refused(tmp_path, content, message):
    (tmp_path / "images-idx3-ubyte").write_bytes(content)
    idx(tmp_path / "labels-idx1-ubyte", np.zeros(2, np.uint8))
    assert message in refusal(tmp_path, "images-idx3-ubyte")


def test_arrays_of_bytes_are_pictures_and_others_are_asked_about(tmp_path):
    x = RANDOM.integers(0, 256, (12, 4, 4), dtype=np.uint8)
    np.savez(tmp_path / "x.npz", x=x, y=np.arange(12) % 2)
    assert load(tmp_path, "x.npz").inputs.pixels.shape == (12, 4, 4, 1)
    np.savez(tmp_path / "f.npz", x=x / 255, y=np.arange(12) % 2)
    assert "say which: `kind: image` or `kind: sequence`" in refusal(tmp_path, "f.npz")
    assert load(tmp_path, "f.npz", kind="image").inputs.pixels.dtype == np.float32
    np.savez(tmp_path / "c.npz", x=x.reshape(3, 4, 4, 4), y=np.arange(3))
    assert load(tmp_path, "c.npz").inputs.pixels.shape == (3, 4, 4, 4)


def test_a_table_of_pixels_is_read_as_pictures(tmp_path):
    data = prepare(DataSpec(source="sklearn/digits", kind="image"), seed=0, base=tmp_path)
    assert data.training.train.shape == (8, 8, 1)
    flat = prepare(DataSpec(source="sklearn/digits"), seed=0, base=tmp_path)
    assert flat.training.train.shape == (64,)
    raw = pd.DataFrame(RANDOM.integers(0, 256, (20, 12)))
    raw["y"] = np.arange(20) % 2
    raw.to_csv(tmp_path / "p.csv", index=False)
    sized = {"kind": "image", "target": "y", "image": {"size": [3, 4]}}
    assert prepare(DataSpec(source="p.csv", **sized), seed=0, base=tmp_path).training.train.shape == (3, 4, 1)
    assert "12 columns of pixels are no pictures of 5 x 5" in refusal(
        tmp_path, "p.csv", **sized | {"image": {"size": 5}}
    )


@pytest.mark.parametrize("scale", ["standardize", "min_max", "none"])
def test_channels_are_scaled_by_the_training_part_alone(tmp_path, scale):
    x = RANDOM.integers(0, 256, (30, 4, 4, 3), dtype=np.uint8)
    x[..., 2] = 7
    np.savez(tmp_path / "x.npz", x=x, y=np.arange(30) % 2)
    data = prepare(DataSpec(source="x.npz", image={"scale": scale}), seed=0, base=tmp_path)
    train = data.training.train.x
    if scale == "standardize":
        np.testing.assert_allclose(train.mean(axis=(0, 1, 2)), 0, atol=1e-6)
        np.testing.assert_allclose(train.std(axis=(0, 1, 2)), [1, 1, 0], rtol=1e-5)
    if scale == "min_max":
        assert train.min() == 0
        assert train.max() == 1
    again = preparer_from_json(data.preprocessor.to_json())
    assert again == data.preprocessor
    np.testing.assert_array_equal(again.prepare(x)[0], data.preprocessor.prepare(list(x))[0])
    assert data.preprocessor.feature_names == ("red", "green", "blue")


def test_a_model_takes_arrays_lists_and_a_served_table_and_says_what_it_does_not():
    gray = ImagePreparer(shape=(2, 3, 1), center=(1.0,), scale=(2.0,))
    x = RANDOM.integers(0, 256, (4, 2, 3), dtype=np.uint8)
    expected = (x.astype(np.float32) - 1) / 2
    table = pd.DataFrame({"image": [p.tolist() for p in x]})
    for given in (x, x[..., None], list(x), x.tolist(), x.reshape(4, 6), table, x.astype(float)):
        np.testing.assert_allclose(gray.prepare(given)[0][..., 0], expected)
    assert gray.prepare([])[0].shape == (0, 2, 3, 1)
    for wrong in (x[0], x[:, :1], [x[0], x[1, :1]], "pictures", [[["a", "b", "c"]] * 2]):
        with pytest.raises(DataError, match="must be pictures of 2 x 3 x 1"):
            gray.prepare(wrong)


def test_copies_across_parts_and_pictures_all_alike_are_told(tmp_path):
    x = np.zeros((20, 2, 2), np.uint8)
    np.savez(tmp_path / "x.npz", x=x, y=np.arange(20) % 2)
    data = prepare(DataSpec(source="x.npz"), seed=0, base=tmp_path)
    assert any("copies of training rows" in warning for warning in data.warnings)
    assert any("all training pictures are the same" in warning for warning in data.warnings)
