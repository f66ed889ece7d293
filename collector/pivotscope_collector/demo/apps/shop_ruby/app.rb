# frozen_string_literal: true

require "sinatra/base"
require_relative "core/catalogue"
require_relative "core/report"
require_relative "core/sales"
require_relative "core/vessel"
require_relative "rollout"
require_relative "telemetry"

module Shop
  # A small shop: merchants ask for their sales report.
  class App < Sinatra::Base
    DATABASE_SECONDS = 0.002
    VALIDATE_ONE_IN = 50

    configure do
      set :environment, :production
      set :logging, false
      set :host_authorization, {}
      set :protection, false
      set :rollout, Rollout.new(ENV.fetch("SHOP_ROLLOUT", "rollout.json"))
      set :telemetry, Telemetry.new
      set :sales, Catalogue.make_sales(7)
    end

    get "/report/:merchant" do
      started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      user = params["user"].to_s
      variant = Vessel.available? && settings.rollout.picks?(user) ? "vessel" : "legacy"
      sales_data = load_sales(Integer(params["merchant"]))
      body = Report.render(Report.build(params["merchant"], sales_data, commission_of(sales_data, variant)))
      record(user, variant, Process.clock_gettime(Process::CLOCK_MONOTONIC) - started)
      content_type :json
      body
    end

    get "/metrics" do
      content_type "text/plain"
      settings.telemetry.exposition
    end

    # The merchant's sales; the pause stands for the database.
    def load_sales(merchant)
      sleep DATABASE_SECONDS
      settings.sales[merchant] || halt(404)
    end

    # Commission by the variant; a native failure falls back and counts as an error of the native arm.
    def commission_of(sales_data, variant)
      return Sales.calculate_commission(sales_data) if variant == "legacy"

      begin
        Vessel.vessel_calculate_commission(sales_data)
      rescue StandardError => error
        settings.telemetry.count("shop_report_errors", variant)
        warn "native commission failed, falling back: #{error.message}"
        Sales.calculate_commission(sales_data)
      end
    end

    # Count the request; one in some is checked for parity, outside the time that is reported.
    def record(user, variant, seconds)
      telemetry = settings.telemetry
      telemetry.observe(variant, seconds)
      telemetry.count("shop_reports", variant)
      luck = Digest::SHA256.digest("#{user}:#{Process.clock_gettime(Process::CLOCK_REALTIME, :nanosecond)}").unpack1("L>")
      record_order(variant, luck) if (luck % 20).zero?
      validate(variant, luck) if variant == "vessel" && luck % VALIDATE_ONE_IN == 1
    end

    def record_order(variant, luck)
      settings.telemetry.count("shop_orders", variant)
      settings.telemetry.count("shop_revenue_dollars", variant, 20 + (luck % 8000 / 100.0))
    end

    def validate(variant, luck)
      settings.telemetry.count("shop_validations", variant)
      return if Vessel.parity?(settings.sales[luck % Catalogue::MERCHANTS])

      settings.telemetry.count("shop_validation_failures", variant)
    end
  end
end
