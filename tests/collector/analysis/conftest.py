"""The codebase that the profiles in `profiles/` were recorded of, at /srv/shop."""

from pathlib import Path

import pytest

PROFILES = Path(__file__).parent / "profiles"

FILES = {
    "pyproject.toml": "",
    "app.py": """from core.sales import Report, calculate_commission


def handle(n):
    data = [{"amount": i, "id": str(i)} for i in range(n)]
    total = 0.0
    for _ in range(20):
        total += calculate_commission(data)
    return total, len(Report().render(data))


def main():
    for _ in range(3):
        handle(3000)


if __name__ == "__main__":
    main()
""",
    "core/sales.py": """import json


def calculate_commission(sales_data):
    total = 0
    for sale in sales_data:
        total += sale["amount"] * 0.05
    return total


class Report:
    def render(self, rows):
        return sorted([self.line(row) for row in rows], key=lambda line: line[0])

    def line(self, row):
        return json.dumps(row)
""",
    "report.rb": """module Shop
  class Report
    def self.build(rows)
      new.call(rows)
    end

    def call(rows)
      rows.each_slice(50).map { |slice| calculate_commission(slice) }.sum
    end

    def calculate_commission(sales)
      total = 0.0
      sales.each do |sale|
        total += sale[:amount] * 0.05
      end
      total
    end
  end
end

def main(times)
  rows = Array.new(2000) { |i| { amount: i } }
  times.times { Shop::Report.build(rows) }
end

main(Integer(ARGV.fetch(0, "200")))
""",
    ".venv/lib/site.py": "",
    "node_modules/tool.py": "",
    "myenv/pyvenv.cfg": "",
    "myenv/inside.py": "",
    "vendor/bundle/gem.rb": "",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The codebase in a folder of its own."""
    root = tmp_path / "shop"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


@pytest.fixture
def profiles() -> Path:
    """Folder of recorded profiles."""
    return PROFILES
