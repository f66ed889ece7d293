import pytest
from pivotscope.profile.function import Owner
from pivotscope.profile.language import Language
from pivotscope_agent.naming.libraries import Location, locate_library

PYTHON, RUBY = Language.PYTHON, Language.RUBY
LIBRARY, STANDARD, RUNTIME = Owner.LIBRARY, Owner.STANDARD, Owner.RUNTIME


@pytest.mark.parametrize(
    ("path", "codebase", "inside", "owner"),
    [
        ("/srv/app/.venv/lib/python3.11/site-packages/flask/app.py", "flask", "flask/app.py", LIBRARY),
        ("/usr/lib/python3/dist-packages/six.py", "six", "six.py", LIBRARY),
        ("/x/site-packages/Foo-1.2-py3.8.egg/foo/x.py", "foo", "foo/x.py", LIBRARY),
        ("/usr/lib/python3.11/json/encoder.py", "python-stdlib", "json/encoder.py", STANDARD),
        ("/root/.pyenv/versions/3.8.18/lib/python3.8/threading.py", "python-stdlib", "threading.py", STANDARD),
        ("/opt/lib/python3.13t/threading.py", "python-stdlib", "threading.py", STANDARD),
        ("/opt/lib/pypy3.10/threading.py", "python-stdlib", "threading.py", STANDARD),
        ("<frozen importlib._bootstrap>", "python-stdlib", "importlib/_bootstrap.py", STANDARD),
        ("<string>", "python-core", "<string>", RUNTIME),
        ("/srv/venv/bin/gunicorn", "gunicorn", "bin/gunicorn", LIBRARY),
        ("", "python-core", "", RUNTIME),
    ],
)
def test_python(path: str, codebase: str, inside: str, owner: Owner) -> None:
    assert locate_library(path, PYTHON) == Location(codebase, inside, owner)


@pytest.mark.parametrize(
    ("path", "codebase", "inside", "owner"),
    [
        ("/var/lib/gems/3.1.0/gems/sinatra-3.0.5/lib/sinatra/base.rb", "sinatra", "lib/sinatra/base.rb", LIBRARY),
        ("/srv/vendor/bundle/ruby/3.1.0/gems/puma-5.6.5/lib/puma.rb", "puma", "lib/puma.rb", LIBRARY),
        ("/x/gems/nokogiri-1.15.0-x86_64-linux/lib/n.rb", "nokogiri", "lib/n.rb", LIBRARY),
        ("/x/gems/rack-protection-3.0.0/lib/r.rb", "rack-protection", "lib/r.rb", LIBRARY),
        ("/x/bundler/gems/shop-core-0a1b2c3d4e5f/lib/c.rb", "shop-core", "lib/c.rb", LIBRARY),
        ("/usr/share/rubygems-integration/all/gems/rack-2.2.4/lib/rack.rb", "rack", "lib/rack.rb", LIBRARY),
        ("/usr/lib/ruby/vendor_ruby/sinatra/base.rb", "sinatra", "lib/sinatra/base.rb", LIBRARY),
        ("/usr/lib/ruby/vendor_ruby/rack.rb", "rack", "lib/rack.rb", LIBRARY),
        ("/usr/lib/ruby/vendor_ruby/rubygems/version.rb", "ruby-stdlib", "rubygems/version.rb", STANDARD),
        ("/opt/lib/ruby/site_ruby/3.1.0/bundler.rb", "ruby-stdlib", "bundler.rb", STANDARD),
        ("/usr/lib/ruby/3.1.0/json/common.rb", "ruby-stdlib", "json/common.rb", STANDARD),
        ("<internal:kernel>", "ruby-core", "kernel", RUNTIME),
        ("<internal:/usr/lib/ruby/vendor_ruby/rubygems/core_ext/kernel_require.rb>", "ruby-stdlib",
         "rubygems/core_ext/kernel_require.rb", STANDARD),
        ("(eval)", "ruby-core", "(eval)", RUNTIME),
        ("/srv/vendor/bundle/ruby/3.1.0/bin/puma", "puma", "bin/puma", LIBRARY),
        ("", "ruby-core", "", RUNTIME),
    ],
)  # fmt: skip
def test_ruby(path: str, codebase: str, inside: str, owner: Owner) -> None:
    assert locate_library(path, RUBY) == Location(codebase, inside, owner)


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("/srv/app/main.py", PYTHON),
        ("/srv/lib/pricing.py", PYTHON),
        ("/srv/python3/x.py", PYTHON),
        ("/srv/app/gems/report.rb", RUBY),
        ("/srv/app/lib/shop.rb", RUBY),
        ("/srv/bin/serve.py", PYTHON),
    ],
)
def test_the_rest_may_be_the_applications(path: str, language: Language) -> None:
    assert locate_library(path, language) is None
