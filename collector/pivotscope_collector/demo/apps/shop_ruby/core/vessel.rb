# frozen_string_literal: true

require_relative "sales"

begin
  require "vessel_commission"
rescue LoadError
  nil
end

module Shop
  # The native implementation of the hot function, with its kill switch.
  module Vessel
    ENABLED = ENV.fetch("SHOP_VESSEL", "on") == "on"

    def self.available?
      ENABLED && defined?(::VesselCommission) ? true : false
    end

    # The same commission, computed natively; objects cross the boundary as they are.
    def self.vessel_calculate_commission(sales_data)
      ::VesselCommission.run(sales_data)
    end

    # Whether native and legacy code agree to the hundredth of a cent.
    def self.parity?(sales_data)
      (vessel_calculate_commission(sales_data) - Sales.calculate_commission(sales_data)).abs < 1e-4
    end
  end
end
