#!/bin/sh
# Runs what carry.sh packed: every test, then the table of bench, beside PyTorch where a Python with it is here.
cd "$(dirname "$0")" || exit 1
./carried.test -test.v -test.timeout=30m >tests.log 2>&1
failed=$?
grep -E '^(cuda:|no CUDA|--- FAIL|PASS|FAIL)|records:' tests.log
[ $failed = 0 ] || echo "see tests.log"
if python3 -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
	python3 cuda.py --bench ./bench || failed=1
else
	./bench cuda || failed=1
fi
exit $failed
