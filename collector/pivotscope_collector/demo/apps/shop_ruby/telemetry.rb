# frozen_string_literal: true

module Shop
  # The service's metrics; `variant` says which implementation served a request. One process, many threads.
  class Telemetry
    BUCKETS = [0.001, 0.0015, 0.002, 0.0025, 0.003, 0.0035, 0.004, 0.0045, 0.005, 0.006, 0.007, 0.008,
               0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 1.0].freeze
    COUNTERS = {
      "shop_reports" => "Report requests answered.",
      "shop_report_errors" => "Requests in which the meant implementation failed.",
      "shop_validations" => "Results checked against the legacy code.",
      "shop_validation_failures" => "Results that differed from the legacy code.",
      "shop_revenue_dollars" => "Turnover of the orders that followed a report.",
      "shop_orders" => "Orders that followed a report."
    }.freeze

    def initialize
      @lock = Mutex.new
      @counters = COUNTERS.keys.to_h { |name| [name, { "legacy" => 0.0, "vessel" => 0.0 }] }
      @latency = Hash.new { |arms, variant| arms[variant] = { buckets: Array.new(BUCKETS.size, 0), sum: 0.0, count: 0 } }
    end

    def count(name, variant, amount = 1)
      @lock.synchronize { @counters[name][variant] += amount }
    end

    def observe(variant, seconds)
      index = BUCKETS.bsearch_index { |bound| seconds <= bound }
      @lock.synchronize do
        arm = @latency[variant]
        arm[:buckets][index] += 1 if index
        arm[:sum] += seconds
        arm[:count] += 1
      end
    end

    # Prometheus text.
    def exposition
      @lock.synchronize { (counter_lines + latency_lines).join("\n") << "\n" }
    end

    private

    def counter_lines
      COUNTERS.flat_map do |name, help|
        ["# HELP #{name}_total #{help}", "# TYPE #{name}_total counter"] +
          @counters[name].map { |variant, value| %(#{name}_total{variant="#{variant}"} #{value}) }
      end
    end

    def latency_lines
      name = "shop_report_seconds"
      ["# HELP #{name} Time to answer a report request.", "# TYPE #{name} histogram"] +
        @latency.flat_map { |variant, arm| arm_lines(name, variant, arm) }
    end

    def arm_lines(name, variant, arm)
      below = 0
      lines = BUCKETS.each_with_index.map do |bound, index|
        below += arm[:buckets][index]
        %(#{name}_bucket{variant="#{variant}",le="#{bound}"} #{below})
      end
      lines << %(#{name}_bucket{variant="#{variant}",le="+Inf"} #{arm[:count]})
      lines << %(#{name}_sum{variant="#{variant}"} #{arm[:sum]}) << %(#{name}_count{variant="#{variant}"} #{arm[:count]})
    end
  end
end
