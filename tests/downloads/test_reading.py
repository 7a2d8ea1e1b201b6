"""Downloads of every kind are recognized by content, and their names matched."""

from __future__ import annotations

import pytest

from tfimpute_tracks.downloads import read_download
from tfimpute_tracks.errors import InputFileError, UsageError

BEST, GOOD = "optimal IDR thresholded peaks", "IDR thresholded peaks"
CASES = {
    "chip_atlas.bed": "ChIP-Atlas peaks",
    "metadata.tsv": "ENCODE metadata",
    "remap_all.bed": "ReMap peaks",
    "tfbs_clustered_with_cells.bed": "UCSC clusters with cell lines",
}


def pairs(found):
    return {str(t.pair): len(t.entries) for t in found.tracks}


@pytest.fixture
def cases(shared_data):
    folder = shared_data.parent / "cases" / "downloads"
    if not folder.exists():
        pytest.skip("no ../shared/cases beside this checkout")
    return folder


@pytest.mark.parametrize(("name", "kind"), CASES.items())
def test_the_shared_downloads_are_the_same_three_tracks(cases, known, name, kind):
    found = read_download([cases / name], known, "hg19")
    assert pairs(found) == {"CTCF:MCF-7": 1, "MAX:HepG2": 1, "MAX:K562": 1}
    assert found.sources[0].kind == kind
    assert found.known == found.tracks
    peaks = [track.entries[0].n_peaks for track in found.tracks]
    assert peaks == [40, 40, 40] or kind == "ENCODE metadata"


def test_a_folder_is_all_that_is_in_it(cases, known):
    found = read_download([cases], known, "hg19")
    assert pairs(found) == {"CTCF:MCF-7": 4, "MAX:HepG2": 4, "MAX:K562": 4}
    assert found.left_out == {
        "assembly hg38, not hg19": 3,
        f"{GOOD}: the pair has better ones": 3,
        "files that are not recognized": 1,
    }
    (note,) = found.sources[-1].notes
    assert "experiment_report" in note
    assert "no column of the target and the cell line" in note


def test_output_types_are_ranked_and_replicates_merged(encode, known):
    table = encode(
        ("ENCFF001AAA", "peaks", "hg19", "K562", "MAX-human"),
        ("ENCFF002AAA", GOOD, "hg19", "K562", "eGFP-MAX-human"),
        ("ENCFF003AAA", BEST, "hg19", "K562", "MAX-human"),
        ("ENCFF004AAA", BEST, "hg19", "K562", "MAX-human"),
        ("ENCFF005AAA", "fold change over control", "hg19", "K562", "MAX-human"),
        ("ENCFF006AAA", GOOD, "hg19", "HepG2", "NRSF-human"),
    )
    found = read_download([table], known, "hg19")
    assert pairs(found) == {"MAX:K562": 2, "REST:HepG2": 1}
    assert found.left_out == {
        "peaks: the pair has better ones": 1,
        f"{GOOD}: the pair has better ones": 1,
        "output type fold change over control": 1,
    }


def test_rows_that_are_no_track_of_normal_cells_are_counted(encode, known):
    table = encode(
        ("ENCFF001AAA", BEST, "hg19", "K562", "MAX-human"),
        ("ENCFF002AAA", BEST, "hg19", "K562", "H3K27ac-human"),
        ("ENCFF003AAA", BEST, "hg19", "K562", "MYC-human", {"change": "interference"}),
        ("ENCFF004AAA", BEST, "hg19", "K562", "MYC-human", {"status": "revoked"}),
        ("ENCFF005AAA", BEST, "hg19", "K562", "MYC-human", {"has_file": False}),
        ("ENCFF006AAA", BEST, "hg19", "K562", ""),
        ("ENCFF007AAA", BEST, "hg19", "K562", "JUN-human", {"change": "insertion"}),
        ("ENCFF008AAA", "peaks", "hg19", "K562", "FUS-human", {"assay": "eCLIP"}),
    )
    found = read_download([table], known, "hg19")
    assert pairs(found) == {"JUN:K562": 1, "MAX:K562": 1}
    assert sum(found.left_out.values()) == 6
    assert found.left_out["assay eCLIP"] == 1
    assert found.left_out["histone marks"] == 1
    assert found.left_out["genetic modification: interference"] == 1


def test_treated_cells_count_where_there_are_no_others(encode, known):
    e2, dex = {"treatment": "estradiol"}, {"treatment": "dexamethasone"}
    acid = {"treatment": "all-trans-retinoic acid"}
    table = encode(
        ("ENCFF001AAA", BEST, "hg19", "MCF-7", "ESR1-human", e2),
        ("ENCFF002AAA", BEST, "hg19", "A549", "MAX-human", dex),
        ("ENCFF003AAA", GOOD, "hg19", "A549", "MAX-human"),
        ("ENCFF004AAA", BEST, "hg19", "SK-N-SH", "YY1-human", acid),
    )
    found = read_download([table], known, "hg19")
    assert list(pairs(found)) == ["ESR1:MCF-7", "MAX:A549", "YY1:SK-N-SH_RA"]
    assert found.left_out == {
        f"{BEST}, treated cells: the pair has better ones": 1,
    }


def test_open_chromatin_is_accessibility(encode, known):
    dnase, atac = {"assay": "DNase-seq"}, {"assay": "ATAC-seq"}
    table = encode(
        ("ENCFF001AAA", "peaks", "GRCh38", "Hep G2", "", dnase),
        ("ENCFF002AAA", "pseudoreplicated peaks", "GRCh38", "LNCaP", "", atac),
    )
    found = read_download([table], known, "hg38")
    assert [(str(t.pair), t.is_known) for t in found.tracks] == [
        ("accessibility:HepG2", True),
        ("accessibility:LNCaP", False),
    ]


def test_the_assembly_must_be_clear(encode, known):
    table = encode(
        ("ENCFF001AAA", BEST, "hg19", "K562", "MAX-human"),
        ("ENCFF002AAA", BEST, "GRCh38", "K562", "MAX-human"),
    )
    with pytest.raises(UsageError, match=r"1 of hg19, 1 of hg38.*--assembly"):
        read_download([table], known)
    assert len(read_download([table], known, "GRCh38").tracks) == 1
    with pytest.raises(UsageError, match="all peak files are of another assembly than"):
        read_download([table], known, "mm10")


def test_a_table_without_its_files_says_where_they_belong(encode, known):
    table = encode(
        ("ENCFF001AAA", BEST, "hg19", "K562", "MAX-human", {"has_file": False})
    )
    with pytest.raises(
        InputFileError, match=r"none of its 1 peak file is in .*files.txt"
    ):
        read_download([table], known, "hg19")


def test_reports_are_read_if_they_have_the_fields(write, known):
    write("ENCFF001AAA.bed.gz", ("chr20", 1, 2))
    header = "2026-01-01\thttps://www.encodeproject.org/report/?type=File\n"
    columns = ("ID", "Accession", "Dataset", "Genome assembly", "Output type")
    row = ("/files/x/", "ENCFF001AAA", "/experiments/ENCSR1/", "hg19", GOOD)
    full = write(
        "file_report.tsv",
        (*columns, "Target label", "Biosample name"),
        (*row, "eGFP-MAX", "K562"),
        header=header,
    )
    found = read_download([full], known, "hg19")
    assert pairs(found) == {"MAX:K562": 1}
    assert found.sources[0].kind == "ENCODE report"
    bare = write("bare.tsv", columns, row, header=header)
    with pytest.raises(
        InputFileError, match=r"no column of the target and the .*&field"
    ):
        read_download([bare], known, "hg19")
    experiments = write(
        "experiment_report.tsv",
        ("ID", "Accession", "Target of assay", "Biosample term name"),
        ("/experiments/ENCSR1/", "ENCSR1", "MAX", "K562"),
        header=header,
    )
    with pytest.raises(InputFileError, match="report of experiments"):
        read_download([experiments], known, "hg19")


def test_merged_remap_and_what_has_no_cell_line(write, known):
    end = (100, ".", 15, 16, "0,0,0")
    merged = write(
        "nr.bed",
        ("chr20", 10, 20, "MAX:K-562,Hep-G2", *end),
        ("chr20", 10, 21, "REST:LNCaP", *end),
    )
    found = read_download([merged], known)
    assert list(pairs(found)) == ["MAX:HepG2", "MAX:K562", "REST:LNCaP"]
    modules = write("crm.bed", ("chr20", 10, 20, "MAX,REST", *end))
    with pytest.raises(InputFileError, match="name TFs, such as MAX,REST, but no cell"):
        read_download([modules], known)
    clusters = write(
        "clusters.bed", ("chr20", 10, 20, "MAX", 500, 2, "1,2,", "500,400,")
    )
    with pytest.raises(InputFileError, match="WithCellsV3"):
        read_download([clusters], known)


def test_unibind_names_end_in_a_description(write, known):
    rows = (("chr20", 10, 20),)
    for name in (
        "ENCSR000AHD.MCF7_Invasive_ductal_breast_carcinoma.CTCF.MA0139.1.damo.bed",
        "EXP036852.renal_tubular_cells.ARNT.MA0004.1.damo.bed",
        "EXP000001.MCF7_tamoxifen_resistant.CTCF.MA0139.1.damo.bed",
        "GSE1.SK-N-SH_RA.YY1.MA0095.2.damo.bed.gz",
        "GSE2.U2OS_osteosarcoma.FOS.MA0476.1.pwm.bed",
    ):
        write(name, *rows)
        rows += (("chr20", 10, 30 + len(rows)),)
    found = read_download([write("x/README.md").parent.parent], known)
    assert list(pairs(found)) == [
        "CTCF:MCF-7",
        "FOS:U2OS",
        "YY1:SK-N-SH_RA",
        "ARNT:renal tubular cells",
        "CTCF:MCF7 tamoxifen resistant",
    ]


def test_cistrome_samples_have_files_by_number(write, known):
    header = "DCid\tSpecies\tGSMID\tFactor\tCell_line\n"
    rows = [
        (1, "Homo sapiens", "GSM1", "MAX", "HepG2"),
        (2, "Homo sapiens", "GSM2", "MAX", "None"),
        (3, "Homo sapiens", "GSM3", "SMAD2/3", "T47D"),
        (4, "Homo sapiens", "GSM4", "MAX", "K562"),
    ]
    table = write("human_factor_full_QC.txt", *rows, header=header)
    names_only = read_download([table], known)
    assert list(pairs(names_only)) == ["MAX:HepG2", "MAX:K562", "SMAD2-3:T-47D"]
    for number in (1, 2, 3):
        write(f"human_factor/{number}_sort_peaks.narrowPeak.bed", ("chr1", number, 9))
    found = read_download([table], known, "hg38")
    assert list(pairs(found)) == ["MAX:HepG2", "SMAD2-3:T-47D"]
    assert found.left_out == {"no cell line": 1, "samples without a file": 1}
    with pytest.raises(InputFileError, match="of hg38, the genome is hg19"):
        read_download([table], known, "hg19")


def test_experiments_of_chip_atlas_have_files_by_number(write, known):
    rows = [
        ("SRX1", "hg19", "TFs and others", "MAX", "Blood", "K-562", "x"),
        ("SRX1", "hg38", "TFs and others", "MAX", "Blood", "K-562", "x"),
        ("SRX2", "hg38", "RNA polymerase", "RNA polymerase II", "Liver", "Hep G2", "x"),
        ("SRX3", "hg38", "Histone", "H3K27ac", "Liver", "Hep G2", "x"),
        ("SRX4", "hg38", "ATAC-Seq", "NA", "Liver", "Hep G2", "x"),
        ("SRX5", "hg38", "TFs and others", "Epitope tags", "Liver", "Hep G2", "x"),
        ("ERX6", "hg38", "TFs and others", "CTCF", "Liver", "Hep G2", "x"),
    ]
    table = write("experimentList.tab", *rows)
    assert len(read_download([table], known, "hg38").tracks) == 4
    for i in range(1, 6):
        write(f"SRX{i}.05.bed", ("chr1", i, 9))
    for path in (table, table.parent):
        found = read_download([path], known, "hg38")
        assert list(pairs(found)) == [
            *("MAX:K562", "POLR2A:HepG2", "accessibility:HepG2"),
        ]
        assert found.left_out == {
            "assembly hg19, not hg38": 1,
            "Histone: no TF": 1,
            "no TF": 1,
            "experiments without a file": 1,
        }


def test_the_whole_name_lists_match_as_they_did(shared_data, known):
    formats = shared_data / "formats"
    cistrome = formats / "cistrome_human_factor_full_QC.txt.gz"
    found = read_download([cistrome], known)
    assert sum(len(track.entries) for track in found.known) == 2711
    assert len(found.known) == 727
    remap = read_download([formats / "remap2020_datasets.txt.gz"], known)
    assert sum(len(track.entries) for track in remap.known) == 1013
    other = set()
    for entry in (*found.sources[0].entries, *remap.sources[0].entries):
        for name, kind in zip(entry[:2], ("TF", "cell line"), strict=True):
            own = known.find_alias(name, kind)
            if own and own.casefold() != name.casefold():
                other.add((name, own))
    # Every spelling that is not the model's own, read by eye.
    assert other == OTHER_SPELLINGS


OTHER_SPELLINGS = {
    ("A-549", "A549"),
    ("BAF155", "SMARCC1"),
    ("BE2-C", "BE2_C"),
    ("BE2C", "BE2_C"),
    ("BRG1", "SMARCA4"),
    ("CACO2", "Caco-2"),
    ("DND-41", "Dnd41"),
    ("GR", "NR3C1"),
    ("H1", "H1-hESC"),
    ("Hep-G2", "HepG2"),
    ("IMR-90", "IMR90"),
    ("K-562", "K562"),
    ("NELFE", "RDBP"),
    ("PFSK1", "PFSK-1"),
    ("SUPT20H", "FAM48A"),
    ("T47D", "T-47D"),
    ("TAL1_SCL", "TAL1"),
    ("SK-N-BE(2)-C", "BE2_C"),
    ("SK-N-BE2-C", "BE2_C"),
    ("U-87MG", "U87"),
    ("U87MG", "U87"),
    ("WA01", "H1-hESC"),
    ("astrocyte_cerebellum", "HAc"),
    ("astrocyte_spinal_cord", "HA-sp"),
    ("endothelial_umbilical-vein", "HUVEC"),
    ("epithelial_retinal_pigment", "HRPEpiC"),
    ("fibroblast_AORTIC_ADVENTITIA", "AoAF"),
    ("fibroblast_MAMMARY", "HMF"),
    ("fibroblast_PULMONARY_ARTERY", "HPAF"),
    ("fibroblast_VILLOUS_MESENCHYME", "HVMF"),
}


def test_spellings_of_a_new_name_are_one_track(write, known):
    folder = write("ATF7.LNCaP.bed", ("chr1", 1, 2)).parent
    write("eGFP-ATF7.LNCAP.bed.gz", ("chr1", 1, 3))
    write("TT.T-T.bed", ("chr1", 1, 4))
    write("TT.T.T.bed", ("chr1", 1, 5))
    found = read_download([folder], known)
    assert pairs(found) == {"ATF7:LNCaP": 2, "TT:T-T": 1}
    assert found.known == ()
    assert found.left_out["files that are not recognized"] == 1


def test_either_order_of_the_names_is_read(write, known):
    folder = write("K562.CTCF.bed", ("chr1", 1, 2)).parent
    write("HepG2.ATF7.bed", ("chr1", 1, 3))
    write("LNCaP.REST.bed", ("chr1", 1, 4))
    write("HL-60.DNase.bed", ("chr1", 1, 5))
    found = read_download([folder], known)
    assert {str(t.pair): (t.has_tf, t.has_cell) for t in found.tracks} == {
        "CTCF:K562": (True, True),
        "accessibility:HL-60": (True, True),
        "ATF7:HepG2": (False, True),
        "REST:LNCaP": (True, False),
    }


def test_versions_and_accessions_are_no_names(write, known):
    folder = write("CTCF.K562.bed", ("chr1", 1, 2)).parent
    for name in ("hg19-blacklist.v2", "HepG2.ENCFF209DJG", "peaks.final", "CTCF.1"):
        write(f"{name}.bed", ("chr1", 1, 3))
    found = read_download([folder], known)
    assert pairs(found) == {"CTCF:K562": 1}
    assert found.left_out == {"files that are not recognized": 4}
    (note,) = found.sources[-1].notes
    assert "these are of: CTCF.1.bed, HepG2.ENCFF209DJG.bed, hg19-" in note


def test_files_of_another_assembly_are_counted(write, known):
    folder = write("MAX.K562.bed", ("chr1", 1, 2)).parent
    write("remap2022_hg38_v1_0.bed", ("chr1", 1, 2, "GSE1.MAX.K562"))
    found = read_download([folder], known, "hg19")
    assert pairs(found) == {"MAX:K562": 1}
    assert found.left_out == {"assembly hg38, not hg19": 1}


@pytest.mark.parametrize(
    ("name", "row", "message"),
    [
        ("peaks.bed", ("chr1", 1, 2), "neither its rows nor its name"),
        (
            "files.txt",
            ("https://www.encodeproject.org/metadata/",),
            "list of addresses",
        ),
        ("MAX.K562.bed", ("hello", "world", "x"), "neither its rows nor its name"),
    ],
)
def test_what_says_nothing_is_refused(write, known, name, row, message):
    path = write(name, row)
    with pytest.raises(InputFileError, match=message):
        read_download([path], known)
    with pytest.raises(InputFileError, match="cannot be read"):
        read_download([path.with_name("gone.bed")], known)


def test_an_empty_folder_is_refused(tmp_path, known):
    with pytest.raises(InputFileError, match="has no file"):
        read_download([tmp_path], known)


def test_peaks_come_before_the_signal_of_an_experiment(write, known):
    """Of the thresholds of ChIP-Atlas the lowest."""
    row = ("SRX100", "hg38", "TFs and others", "MAX", "Blood", "K-562", "x")
    table = write("experimentList.tab", row)
    for name in ("SRX100.05.bed", "SRX100.20.bed", "SRX100.bw"):
        write(name, ("chr1", 1, 90))
    (track,) = read_download([table], known, "hg38").tracks
    assert [entry.path.name for entry in track.entries] == ["SRX100.05.bed"]


def test_a_table_that_was_cut_off_is_read(encode, known):
    path = encode(("ENCFF000AAA", BEST, "hg38", "K562", "MAX-human"))
    path.write_text(path.read_text() + "ENCFF000AAB\tbed")
    found = read_download([path], known, "hg38")
    assert len(found.tracks) == 1
    assert found.left_out == {"output type unknown": 1}


@pytest.mark.parametrize("header", ["#tf\tcell\tbed\n", "# mine\ntf\tcell\tbed\n"])
def test_a_pairs_table_is_recognized_as_it_is_read(write, known, header):
    write("max.bed", ("chr1", 1, 90))
    table = write("pairs.tsv", ("MAX", "K562", "max.bed"), header=header)
    (track,) = read_download([table], known, "hg38").tracks
    assert track.pair == ("MAX", "K562")
