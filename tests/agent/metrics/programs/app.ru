# A Rack application that counts its requests: each worker for itself, or with SHARED, a folder, all together.
# The page is what prometheus-client's Rack exporter would print; DirectFileStore keeps a file a worker likewise.
count = 0
run lambda { |env|
  type = { "content-type" => "text/plain; version=0.0.4" }
  if env["PATH_INFO"] == "/metrics"
    total = count
    if ENV["SHARED"]
      total = Dir[File.join(ENV["SHARED"], "*.count")].sum { |file| File.read(file).to_i }
    end
    next [200, type, ["# TYPE shop_requests_total counter\nshop_requests_total #{total}\n"]]
  end
  count += 1
  File.write(File.join(ENV["SHARED"], "#{Process.pid}.count"), count.to_s) if ENV["SHARED"]
  sum = 0
  20_000.times { |i| sum += i }
  [200, type, [Process.pid.to_s]]
}
