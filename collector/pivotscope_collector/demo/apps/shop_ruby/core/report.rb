# frozen_string_literal: true

require "json"
require "zlib"
require_relative "sales"

module Shop
  # A merchant's sales report.
  module Report
    def self.build(merchant, sales_data, commission)
      {
        merchant: merchant,
        sales: sales_data.size,
        commission: commission.round(2),
        categories: Sales.totals_by_category(sales_data.first(800)),
        best_sellers: Sales.best_sellers(sales_data.first(1000), 20)
      }
    end

    # The report as JSON, with a table and a checksum.
    def self.render(report)
      body = JSON.generate(report)
      table = report[:categories].sort.map { |name, value| format("%10s: %12.2f", name, value) }.join("\n")
      JSON.generate(report: body, table: table, checksum: Zlib.crc32(body))
    end
  end
end
