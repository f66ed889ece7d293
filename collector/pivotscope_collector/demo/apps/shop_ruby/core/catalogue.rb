# frozen_string_literal: true

module Shop
  # The shop's sales, made up once at start from a seed.
  module Catalogue
    MERCHANTS = 40
    SALES_A_MERCHANT = 3000
    REGIONS = %w[north south east west].freeze
    CATEGORIES = %w[books garden kitchen music tools toys].freeze

    # Sales by merchant: lists of plain hashes, as a database driver hands them out.
    def self.make_sales(seed)
      source = Random.new(seed)
      Array.new(MERCHANTS) { Array.new(SALES_A_MERCHANT) { make_sale(source) } }
    end

    def self.make_sale(source)
      {
        amount: (Math.exp(4.6 + gauss(source))).round(2),
        region: REGIONS[source.rand(REGIONS.size)],
        category: CATEGORIES[source.rand(CATEGORIES.size)],
        returned: source.rand < 0.04
      }
    end

    def self.gauss(source)
      Math.sqrt(-2.0 * Math.log(1.0 - source.rand)) * Math.cos(2.0 * Math::PI * source.rand)
    end
  end
end
