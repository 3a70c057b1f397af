# make talk    talk to a realtime model (the local simulator, unless OPENAI_API_KEY is set); ARGS="--help" shows how
# make test    install what the tests need, check style and types, run every test
# make bench   measure, print one table, write benchmarks/results.json; ONLY=name runs one group
# make interleavings   hold the arbiter of responses against 10,000 random interleavings
# make faults  lose the connection in every way at every point of a turn
# make soak    talk for 24 hours on a clock that jumps, and for 10 minutes in real time
# make fuzz    feed mutated events to the decoder and to every state for 10 minutes
# make live    record sessions of the service, with a key (costs some cents); ARGS="folder --only barge_in"
# make lock    write the lock files anew from pyproject.toml (needs uv)

PYTHON ?= python3
ARGS ?=
ONLY ?=
BIN := .venv/bin
PYTEST = $(BIN)/python -m pytest --cov --cov-append --cov-report=
SYSTEM_PACKAGES := flite pulseaudio pulseaudio-utils libasound2-plugins libportaudio2 redis-server chromium

.PHONY: talk test check bench live interleavings faults soak fuzz lock clean

talk: .venv/.installed-talk
	@$(BIN)/realtime talk $(ARGS)

# Two tests at a time but where time is measured: a sound card wants the machine to itself.
test: .venv/.installed-test
	@sh tools/system_packages.sh $(SYSTEM_PACKAGES)
	@$(MAKE) --no-print-directory check
	@$(BIN)/python tools/make_foreign.py || true  # the tests of an environment that is missing say so
	@$(BIN)/python -m coverage erase
	@$(PYTEST) -n 2 --dist worksteal --ignore tests/device
	@$(PYTEST) tests/device
	@$(BIN)/python -m coverage report

check: .venv/.installed-test
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python

bench: .venv/.installed-test
	@$(BIN)/python -m benchmarks $(ONLY)

.venv/.installed-talk: locks/talk.txt pyproject.toml tools/make_environment.py
	@$(PYTHON) tools/make_environment.py locks/talk.txt
	@touch $@

.venv/.installed-test: locks/test.txt pyproject.toml tools/make_environment.py
	@$(PYTHON) tools/make_environment.py locks/test.txt
	@touch $@ .venv/.installed-talk

interleavings: .venv/.installed-test
	@INTERLEAVINGS=10000 $(BIN)/python -m pytest tests/test_interleavings.py

faults: .venv/.installed-test
	@FAULTS=all $(BIN)/python -m pytest tests/resume/test_faults.py

soak: .venv/.installed-test
	@$(BIN)/python -m benchmarks.soak 24
	@$(BIN)/python -m benchmarks.soak_real 10

fuzz: .venv/.installed-test
	@FUZZ_MINUTES=10 $(BIN)/python -m pytest tests/test_fuzz.py --timeout 1200

live: .venv/.installed-test
	@$(BIN)/python -m tools.record_live $(ARGS)

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --custom-compile-command "make lock"

lock:
	$(COMPILE) pyproject.toml --extra local --group build -o locks/talk.txt
	$(COMPILE) pyproject.toml --all-extras --group dev --constraint locks/talk.txt -o locks/test.txt
	for lock in $(addprefix tools/foreign/,openai_agents pydantic_ai livekit pipecat) \
	  $(patsubst %.in,%,$(wildcard benchmarks/peers/*.in)); do \
	  $(COMPILE) $$lock.in -o $$lock.txt || exit 1; done

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .coverage*
