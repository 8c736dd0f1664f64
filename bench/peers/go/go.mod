module sockeye-bench-peer

go 1.19
