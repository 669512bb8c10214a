import io

from jaxgan import bar


def test_a_log_is_not_flooded(monkeypatch):
    for watched in (True, False):
        out = io.StringIO()
        out.isatty = lambda watched=watched: watched
        monkeypatch.setattr("sys.stderr", out)
        assert list(bar.bar(range(50_000), "pictures", 50_000, "pictures", delay=0)) == list(range(50_000))
        assert ("pictures: " in out.getvalue()) == watched
        assert out.getvalue().count("\r") < 100 if watched else not out.getvalue().strip()


def test_quiet(capsys):
    progress = bar.bar(None, "images", 10, "images", delay=0, quiet=True)
    progress.update(10)
    progress.close()
    assert capsys.readouterr().err == ""
