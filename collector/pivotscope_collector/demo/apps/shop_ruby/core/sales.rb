# frozen_string_literal: true

module Shop
  # Sales and what the shop's agents earn on them.
  module Sales
    TIERS = [[1000.0, 0.08], [250.0, 0.06], [0.0, 0.05]].freeze
    REGION_FACTORS = { "north" => 1.0, "south" => 1.1, "east" => 0.95, "west" => 1.05 }.freeze
    RETURN_FEE = 0.5

    # Commission on a list of sales: a rate by size, a factor by region, a fee for what came back.
    def self.calculate_commission(sales_data)
      total = 0.0
      sales_data.each do |sale|
        if sale[:returned]
          total -= RETURN_FEE
        else
          total += commission_on(sale[:amount]) * REGION_FACTORS.fetch(sale[:region])
        end
      end
      total
    end

    def self.commission_on(amount)
      return amount * TIERS[0][1] if amount >= TIERS[0][0]
      return amount * TIERS[1][1] if amount >= TIERS[1][0]
      return amount * TIERS[2][1] if amount >= TIERS[2][0]

      0.0
    end

    # Turnover of each category, what came back left out.
    def self.totals_by_category(sales_data)
      totals = Hash.new(0.0)
      sales_data.each { |sale| totals[sale[:category]] += sale[:amount] unless sale[:returned] }
      totals
    end

    # The sales of the largest amounts.
    def self.best_sellers(sales_data, limit)
      sales_data.max_by(limit) { |sale| sale[:amount] }
    end
  end
end
