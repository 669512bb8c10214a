import io

from jaxgan import console
from jaxgan.console import bar


def test_a_log_is_not_flooded(monkeypatch):
    monkeypatch.setattr(console, "IN_A_FILE", 0.0)
    for watched in (True, False):
        out = io.StringIO()
        out.isatty = lambda watched=watched: watched
        monkeypatch.setattr("sys.stderr", out)
        assert list(bar(range(50_000), "pictures", 50_000, "pictures", delay=0)) == list(range(50_000))
        assert "pictures: " in out.getvalue()
    monkeypatch.setattr(console, "IN_A_FILE", 30.0)
    out.truncate(0)
    list(bar(range(50_000), "pictures", 50_000, "pictures"))
    assert not out.getvalue().strip("\0")


def test_quiet(capsys):
    progress = bar(None, "images", 10, "images", delay=0, quiet=True)
    progress.update(10)
    progress.close()
    assert capsys.readouterr().err == ""
