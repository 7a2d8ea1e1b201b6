"""The made-up FASTA file reads as a real one does."""

from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.genome import open_genome
from tfimpute_tracks.views.browse.virtual_fasta import VirtualFasta


def test_every_range_is_that_of_the_file(toy):
    _, fasta, letters = toy
    text = "".join(f">{name}\n{line}\n" for name, line in letters.items()).encode()
    with open_genome(fasta) as genome:
        file = VirtualFasta(genome)
        assert file.size == len(text)

        @given(st.integers(-5, len(text) + 5), st.integers(-5, len(text) + 5))
        def check(first, last):
            assert file.read(first, last) == text[max(first, 0) : max(last, 0)]

        check()
        for line in file.index.splitlines():
            name, size, offset, per_line, width = line.split("\t")
            place = slice(int(offset), int(offset) + int(size))
            assert text[place].decode() == letters[name]
            assert int(width) == int(per_line) + 1 == len(letters[name]) + 1
