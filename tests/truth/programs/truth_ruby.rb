# A program that knows where its CPU goes, and writes it down: the Ruby twin of truth_python.py.
#
#     truth_ruby.rb LOG SEED SECONDS [DUTY]

require "digest"
require "zlib"

NOISE = Random.new(7).bytes(131_072)
TEXT = "order 17, 4 pieces at 3.50 dollars; " * 60
NUMBERS = Array.new(700) { |number| Random.new(number).rand }
PRICE = /(\d+) pieces at (\d+\.\d\d)/
SPENT = Hash.new(0)

def now
  Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID, :nanosecond)
end

def price_orders(finish)
  total = 0
  while now < finish
    number = 0
    while number < 2_000
      total += number * number % 7
      number += 1
    end
  end
  total
end

class Ledger
  def initialize
    @balance = 0
  end

  def settle(finish)
    while now < finish
      number = 0
      while number < 2_000
        @balance += number % 13
        number += 1
      end
    end
  end
end

def descend(depth, finish)
  total = 0
  limit = now + (finish - now) / (depth + 1)
  while now < limit
    number = 0
    while number < 500
      total += number & depth
      number += 1
    end
  end
  depth.zero? ? total : descend(depth - 1, finish)
end

def pack(finish)
  while now < finish
    Zlib.deflate(NOISE, 6)
    Digest::SHA256.digest(NOISE)
  end
end

def scan(finish)
  while now < finish
    TEXT.scan(PRICE)
    NUMBERS.sort
  end
end

def rest(seconds)
  sleep(seconds)
end

LEDGER = Ledger.new

def perform(name, finish)
  case name
  when "settle" then LEDGER.settle(finish)
  when "price_orders" then price_orders(finish)
  when "descend" then descend(20, finish)
  when "pack" then pack(finish)
  else scan(finish)
  end
end

WEIGHTS = { "settle" => 0.32, "price_orders" => 0.22, "descend" => 0.18, "pack" => 0.16, "scan" => 0.12 }.freeze

def draw(mix)
  point = mix.rand
  WEIGHTS.each do |name, weight|
    point -= weight
    return name if point.negative?
  end
  "scan"
end

def note(log)
  wall = Process.clock_gettime(Process::CLOCK_REALTIME, :nanosecond)
  spent = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID, :nanosecond)
  log.syswrite("#{wall} #{spent} #{SPENT.map { |name, value| "#{name}=#{value}" }.join(" ")}\n")
end

def work(log, mix, seconds, duty)
  finish = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
  while Process.clock_gettime(Process::CLOCK_MONOTONIC) < finish
    name = draw(mix)
    dwell = mix.rand(1_000_000..50_000_000)
    began = now
    perform(name, began + dwell)
    SPENT[name] += now - began
    note(log)
    next unless duty < 1.0

    began = now
    rest(dwell / 1e9 * (1.0 - duty) / duty)
    SPENT["rest"] += now - began
    note(log)
  end
end

WEIGHTS.each_key { |name| SPENT[name] = 0 }
SPENT["rest"] = 0
log = File.open(ARGV[0], File::WRONLY | File::CREAT | File::APPEND, 0o600)
note(log)
puts "ready"
$stdout.flush
work(log, Random.new(Integer(ARGV[1])), Float(ARGV[2]), Float(ARGV[3] || "0.8"))
note(log)
