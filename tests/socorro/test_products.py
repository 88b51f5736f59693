# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Product files: what is read, and what is refused with file and key named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socorro.packaged import PRODUCTS
from socorro.products import Link, Product, ProductError, load


def write(folder: Path, text: str, name: str = "app.yaml") -> Path:
    (folder / name).write_text(text)
    return folder


def test_the_files_that_ship_are_valid_and_in_order() -> None:
    names = [product.name for product in load(PRODUCTS)]
    assert names == ["Firefox", "Fenix", "Thunderbird", "DemoApp"]


def test_every_key_is_read(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        name: App One
        description: " It crashes. "
        home_page_sort: -3
        featured_versions: ["1.0", auto]
        bug_links: [[File a bug, "https://bugs.example/new?title={title}&sig={signature}"]]
        product_home_links: [[Home, "http://example.org/"]]
        rules: [BetaVersion]
        _comment: keys that start with an underscore are for people
        """,
    )
    assert load(tmp_path) == [
        Product(
            name="App One",
            description="It crashes.",
            home_page_sort=-3,
            featured_versions=("1.0", "auto"),
            bug_links=(
                Link("File a bug", "https://bugs.example/new?title={title}&sig={signature}"),
            ),
            product_home_links=(Link("Home", "http://example.org/"),),
            rules=("BetaVersion",),
        )
    ]


def test_a_name_is_enough_and_json_will_do(tmp_path: Path) -> None:
    write(tmp_path, '{"name": "App"}', "app.json")
    write(tmp_path, "not read", "README.md")
    assert load(tmp_path) == [Product("App", "", 1000, ("auto",), (), ())]


def test_products_of_the_same_rank_are_listed_by_name(tmp_path: Path) -> None:
    write(tmp_path, "name: b\n", "1.yml")
    write(tmp_path, "name: a\n", "2.yml")
    assert [product.name for product in load(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("description: no name", "app.yaml: name: is missing"),
        ("name: App\nfeatured_version: [auto]", "app.yaml: featured_version: is no key"),
        ("name: App\nname: Other", "app.yaml: cannot be read: the key name stands there twice"),
        ("name: [App]", "app.yaml: name: must be a printable text"),
        ("name: a/b", "app.yaml: name: must not have a slash"),
        ("name: App\ndescription: 7", "app.yaml: description: must be one line"),
        ("name: App\nhome_page_sort: true", "app.yaml: home_page_sort: must be a whole number"),
        ("name: App\nrules: BetaVersion", "app.yaml: rules: must be a list of at most 100 rules"),
        ("name: App\nrules: [a b]", "app.yaml: rules: 'a b' is not the name of a rule"),
        ("name: App\nfeatured_versions: [1.10]", "app.yaml: featured_versions: must hold texts"),
        ("name: App\nfeatured_versions: ['1 0']", "'1 0' is neither a version nor 'auto'"),
        ("name: App\nbug_links: [x]", "app.yaml: bug_links: must be a list of \\[text, address\\]"),
        ("name: App\nbug_links: [[x, 'javascript:alert(1)']]", "bug_links: .* does not start with"),
        ("name: App\nbug_links: [[x, 'https://x/{nope}']]", "bug_links: {nope} cannot be filled"),
        ("name: App\nbug_links: [[x, 'https://x/{']]", "app.yaml: bug_links: "),
        ("name: App\nbug_links: [[x, 'https://x/{title.__class__}']]", "bug_links: {title.__cl"),
        ("name: App\nbug_links: [[x, 'https://x/{title!r:>99}']]", "is a bare name in braces"),
        ("name: App\nproduct_home_links: [[x, 'https://x/{title}']]", "{title} cannot be filled"),
        ("name: App\nproduct_home_links: [[x, 'https://[x/']]", "app.yaml: product_home_links: "),
        ("- name: App", "app.yaml: must be a mapping"),
        ("name: !!python/object:os.system x", "app.yaml: cannot be read"),
        ("a: [", "app.yaml: cannot be read"),
        ("", "app.yaml: must be a mapping"),
        ("? [a]\n: b", "app.yaml: cannot be read"),
        ("[" * 5000, "app.yaml: cannot be read"),
    ],
)
def test_a_wrong_file_is_an_error_that_names_file_and_key(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ProductError, match=message):
        load(write(tmp_path, text))


def test_two_files_for_one_product_are_an_error(tmp_path: Path) -> None:
    write(tmp_path, "name: App", "a.yaml")
    write(tmp_path, "name: App", "b.yaml")
    with pytest.raises(ProductError, match=r"b\.yaml: name: there is another file"):
        load(tmp_path)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProductError, match="the folder of products cannot be read"):
        load(tmp_path / "missing")


@given(st.text(max_size=80) | st.binary(max_size=80))
def test_no_file_is_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, content: str | bytes
) -> None:
    folder = tmp_path_factory.mktemp("products")
    for name in ("a.yaml", "b.json"):
        body = content if isinstance(content, bytes) else content.encode(errors="replace")
        (folder / name).write_bytes(body)
        with pytest.raises(ProductError):
            load(folder)
