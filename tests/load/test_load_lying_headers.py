"""Headers that declare more than a file holds are refused before anything is allocated."""

import json
import struct
import zipfile

from refusing import PLAIN, X, npy_bytes, npy_header, refuse


def test_npy_headers_that_lie(tmp_path):
    path = tmp_path / "a.npy"
    path.write_bytes(npy_header((10**9, 10**6)) + X.tobytes())
    refuse(path, r"is cut short: its header declares 4000000000000000 bytes of float32 .*, 192 are there")
    path.write_bytes(npy_header((4, 4)) + X.tobytes())
    refuse(path, "has bytes left over: its header declares 64 bytes")
    path.write_bytes(npy_header((-3, 4)) + X.tobytes())
    refuse(path, r"declares the shape \(-3, 4\)")
    path.write_bytes(npy_bytes(X).replace(b"shape", b"shaqe"))
    refuse(path, "has a damaged .npy header")


def test_npz_entries_that_lie_or_explode(tmp_path):
    path = tmp_path / "a.npz"
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(path, "w", compression) as archive:
            archive.writestr("image.npy", npy_header((10**7, 10**6)) + X.tobytes())
        refuse(path, "is cut short: its header declares 40000000000000 bytes")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as member:
        member.write(npy_header((10**5, 256)))
        for _ in range(10):
            member.write(bytes(10**4 * 256 * 4))
    refuse(path, r"would unpack \d+ bytes to 102400128, as no embeddings do")


def test_a_stored_size_that_lies_about_a_packed_entry(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("image.npy", npy_header((24, 4)) + X.tobytes())
    data = path.read_bytes()
    real = struct.pack("<I", len(npy_header((24, 4))) + X.nbytes)
    claimed = struct.pack("<I", len(npy_header((24, 4))) + 2 * X.nbytes)
    assert data.count(real) == 2
    path.write_bytes(data.replace(real, claimed))
    refuse(path, "image ends after 12 of 24 rows|damaged")


def test_safetensors_headers_that_lie(tmp_path):
    path = tmp_path / "a.safetensors"

    def write(entries, data=PLAIN, length=None):
        header = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
        path.write_bytes(struct.pack("<Q", len(header) if length is None else length) + header + data)

    good = {"dtype": "F32", "shape": [12, 4], "data_offsets": [0, 192]}
    write({"x": good}, length=2**60)
    refuse(path, "its header does not fit in it")
    write(b"{not json")
    refuse(path, "its header is no JSON")
    write(b"[1, 2]")
    refuse(path, "its header lists no tensors")
    write({"x": {**good, "shape": [10**9, 10**6]}})
    refuse(path, "x declares 4000000000000000 bytes of float32")
    write({"x": {**good, "data_offsets": [0, 10**12], "shape": [10**12 // 16, 4]}})
    refuse(path, "x declares 1000000000000 bytes of float32 .*, 192 are there")
    write({"x": {**good, "data_offsets": [-192, 0]}})
    refuse(path, "x has a damaged header entry")
    write({"x": {**good, "shape": [12, True]}})
    refuse(path, "x has a damaged header entry")
    write({"x": [1]})
    refuse(path, "x has a damaged header entry")
    write({"x": good}, data=X.tobytes() + b"more")
    refuse(path, "has 196 bytes of tensors, its header declares 192")
    write({"x": {**good, "dtype": "F8_E4M3", "shape": [48, 4]}})
    refuse(path, "holds F8_E4M3: a floating type that is not supported")


def test_pt_views_that_reach_outside(tmp_path):
    import torch

    path = tmp_path / "a.pt"
    torch.save(torch.zeros(1, 4).expand(10**9, 4), path)
    refuse(path, r"declares 4000000000 numbers, shape \(1000000000, 4\), over 4 stored ones")
    torch.save(torch.from_numpy(X), path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    pkl = next(name for name in parts if name.endswith("data.pkl"))
    # The storage's length and the tensor's rows, both as pickled numbers.
    parts[pkl] = parts[pkl].replace(b"K0t", b"K\xf0t").replace(b"K\x0cK\x04\x86", b"K\x3cK\x04\x86")
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    refuse(path, "is cut short: a tensor declares 960 bytes of float32, 192 are there")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    refuse(path, "was packed again after saving; save it with torch.save")


def test_pt_with_anything_but_tensors(tmp_path):
    import torch

    path = tmp_path / "a.pt"
    torch.save({"epoch": 3}, path)
    refuse(path, "holds no tensor")
    torch.save(torch.nn.Linear(2, 2), path)
    refuse(path, r"refers to torch.nn.modules.linear.Linear, which is neither an array nor a plain container")
    torch.save(torch.eye(4).to_sparse(), path)
    refuse(path, "which is neither an array nor a plain container")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", npy_bytes(X))
    refuse(path, "is a zip archive but no torch file")
