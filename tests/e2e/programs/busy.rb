# Works for half of the time until it is killed.

def churn(count)
  total = 0
  number = 0
  while number < count
    total += number * number % 7
    number += 1
  end
  total
end

puts "ready"
$stdout.flush
loop do
  began = Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID)
  churn(50_000)
  sleep(Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) - began)
end
