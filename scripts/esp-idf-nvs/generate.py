"""ESP-IDF's own generator over a folder: NAME.csv to NAME.bin. Arguments: the folder and the size of the partition."""
import argparse
import contextlib
import io
import pathlib
import sys

try:
    from esp_idf_nvs_partition_gen import nvs_partition_gen
except ImportError:
    sys.exit(3)

folder, size = pathlib.Path(sys.argv[1]), sys.argv[2]
for source in sorted(folder.glob("*.csv")):
    args = argparse.Namespace(
        input=[str(source)], output=source.stem + ".bin", outdir=str(folder), size=size, version=2
    )
    with contextlib.redirect_stdout(io.StringIO()):
        nvs_partition_gen.generate(args)
