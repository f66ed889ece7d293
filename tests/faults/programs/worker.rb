# Works or rests as its standard input says, a word a line: work, rest. It ends with its input.

$state = "rest"

def churn(count)
  total = 0
  count.times { |number| total += number * number % 7 }
  total
end

Thread.new do
  while (line = $stdin.gets)
    $state = line.strip
  end
  $state = "end"
end

puts "ready"
$stdout.flush
until $state == "end"
  if $state == "rest"
    sleep 0.02
  else
    churn(10_000)
    sleep 0.002
  end
end
