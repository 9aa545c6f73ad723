"""Settings from the environment: wrong text is a sentence that names variable, value and what would do."""

from pathlib import Path

import pytest

from connector.env import Env, SettingsError


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (lambda env: env.text("X"), " a ", "a"),
        (lambda env: env.flag("X", default=False), "Yes", True),
        (lambda env: env.flag("X", default=True), "", False),
        (lambda env: env.number("X", 3, low=1, high=9), "4", 4),
        (lambda env: env.choice("X", "a", ("a", "b")), "b", "b"),
        (lambda env: env.words("X"), "a, b,,", ["a", "b"]),
        (lambda env: env.networks("X"), "127.0.0.0/8,10.0.0.0/8", ("127.0.0.0/8", "10.0.0.0/8")),
    ],
)
def test_right_text_is_read(read, text, value):
    assert read(Env({"X": text})) == value


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda env: env.text("X", "d"), "d"),
        (lambda env: env.flag("X", default=True), True),
        (lambda env: env.number("X", 3, low=1, high=9), 3),
        (lambda env: env.choice("X", "a", ("a", "b")), "a"),
        (lambda env: env.networks("X"), ()),
    ],
)
def test_an_absent_variable_is_its_default(read, value):
    assert read(Env({})) == value


@pytest.mark.parametrize(
    ("read", "text", "sentence"),
    [
        (lambda env: env.flag("X", default=False), "maybe", "X is 'maybe'. Set it to 1 or 0."),
        (lambda env: env.number("X", 3, low=1, high=9), "10", "X is '10'. Set it to a whole number from 1 to 9."),
        (lambda env: env.number("X", 3, low=1, high=9), "3.5", "X is '3.5'."),
        (lambda env: env.number("X", 3, low=1, high=9), "-1", "X is '-1'."),
        (lambda env: env.number("X", 3, low=1, high=9), "٣", "X is '٣'."),
        (lambda env: env.choice("X", "a", ("a", "b")), "c", "X is 'c'. Set it to one of: a, b."),
        (lambda env: env.networks("X"), "10.0.0.1/8", "X holds '10.0.0.1/8', which is not a network"),
        (lambda env: env.networks("X"), "everything", "X holds 'everything'"),
        (lambda env: env.database("X", Path("/d")), "nonsense", "X cannot be read."),
        (lambda env: env.database("X", Path("/d")), "mysql://h/d", "Only SQLite and PostgreSQL are supported."),
    ],
)
def test_wrong_text_is_a_sentence(read, text, sentence):
    with pytest.raises(SettingsError) as caught:
        read(Env({"X": text}))
    assert sentence in str(caught.value)


def test_a_database_address_with_a_password_is_not_quoted():
    with pytest.raises(SettingsError) as caught:
        Env({"X": "oops://me:canary@h/d"}).database("X", Path("/d"))
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "engine"),
    [("", "sqlite3"), ("sqlite:////tmp/x", "sqlite3"), ("postgresql://me@h/d", "postgresql")],
)
def test_a_database_is_sqlite_unless_named(text, engine):
    found = Env({"X": text}).database("X", Path("/d"))
    assert found["ENGINE"] == f"django.db.backends.{engine}"


def test_a_folder_is_made_or_named(tmp_path):
    made = Env({"VAR_DIR": str(tmp_path / "a" / "var")}).folder("VAR_DIR", tmp_path)
    (tmp_path / "file").touch()

    assert made.is_dir()
    with pytest.raises(SettingsError, match=r"^VAR_DIR is .*, a folder that cannot be made: Not a directory\.$"):
        Env({"VAR_DIR": str(tmp_path / "file" / "var")}).folder("VAR_DIR", tmp_path)
