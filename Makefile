# `make` lists the targets. A target that needs the virtual environment makes it first. Nothing outside this folder is
# changed, except by `docker`, which installs an engine.

PYTHON ?= python3
VENV ?= .venv
STUDENTS ?= 40
SEED ?= 1
SANDBOX ?= auto
TESTS ?= tests
JOBS ?= logical
CASES ?= 100000
USERNS ?= yes

export PYTHONUTF8 := 1# files are UTF-8 whatever the locale is
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

bin := $(VENV)/bin
stamp := $(VENV)/.made
marker := course/submitted/.example

.DEFAULT_GOAL := help
.SUFFIXES:
.PHONY: help venv grade check-example release example test test-slow test-gpu redteam redteam-userns fuzz lint format audit bench docker image doctor clean clean-example

help: ## list the targets
	@echo "make TARGET [VARIABLE=value]"
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "Variables: PYTHON=$(PYTHON) VENV=$(VENV) SANDBOX=$(SANDBOX) STUDENTS=$(STUDENTS) SEED=$(SEED) TESTS=$(TESTS) JOBS=$(JOBS) CASES=$(CASES)"

venv: $(stamp) ## make the virtual environment, or bring it up to date with pyproject.toml

$(stamp): pyproject.toml scripts/make-venv.sh
	@scripts/make-venv.sh "$(PYTHON)" "$(VENV)"
	@touch "$@"

grade: example ## grade an example class of 40 from nothing to feedback pages (or the class in course/submitted/)
	@mkdir -p build/reports
	@echo "== grading every assignment that has submissions"
	@status=0; \
	$(bin)/autograder grade --sandbox $(SANDBOX) --json build/reports/ || status=$$?; \
	[ $$status -le 1 ] || exit $$status; \
	echo "== feedback pages" && $(bin)/autograder feedback || status=$$?; \
	echo "== table of all scores" && $(bin)/autograder export --to build/scores.csv || status=$$?; \
	[ $$status = 0 ] || { echo "Not all is graded: the reasons are above; the rest is done" >&2; exit $$status; }
	@echo
	@echo "Done. Pages       course/feedback/<student>/<assignment>/<assignment>.html"
	@echo "      Gradebook   course/gradebook.db, nbgrader's own"
	@echo "      Tables      build/scores.csv, build/reports/<assignment>.json"
	@echo "      Formgrader  cd course && $(abspath $(bin))/jupyter lab, then /formgrader on that server"

check-example: $(stamp) ## after grade: whether every student of the example class has the predicted verdicts, hints and page
	$(bin)/python -m solutions.example_check --seed $(SEED) --students $(STUDENTS)

release: $(stamp) ## make the students' notebooks in assignments/ from solutions/
	@echo "== releasing all assignments"
	@$(bin)/autograder release

example: release ## write an example class to course/submitted/, unless a real one is there
	@if [ -f $(marker) ] || [ -z "$$(ls course/submitted 2>/dev/null)" ]; then \
	  echo "== an example class of $(STUDENTS) students" && mkdir -p course/submitted && touch $(marker) && \
	  $(bin)/python -m solutions.example_class --seed $(SEED) --students $(STUDENTS) && \
	  { [ -s $(marker) ] || ls course/submitted > $(marker); }; \
	else \
	  echo "== course/submitted/ holds a class already: it is graded as it is, and no example is made"; \
	fi

test: $(stamp) ## all tests but the slow ones; TESTS=tests/unit runs a part
	@echo "== tests in $(TESTS), without the slow ones; what this machine cannot run is skipped, with the reason"
	$(bin)/python -m pytest --numprocesses $(JOBS) -m "not slow and not redteam and not fuzz" $(TESTS)

test-slow: $(stamp) ## the slow ones: every verdict on the example class is as predicted, and more
	$(bin)/python -m pytest -m "slow and not redteam and not fuzz" $(TESTS)

redteam: $(stamp) ## every attack on every sandbox: prints what held, writes it into the documents; USERNS=no leaves redteam-userns out
	$(bin)/python -m pytest --numprocesses $(JOBS) --pages tests/redteam \
	  $(if $(filter no,$(USERNS)),--ignore=tests/redteam/test_user_namespaces.py)

redteam-userns: $(stamp) ## the same attacks on a Docker engine of their own that maps users (needs root and dockerd)
	$(bin)/python -m pytest tests/redteam/test_user_namespaces.py

test-gpu: $(stamp) ## on a machine with a GPU: forks that use CUDA, memory, verdicts as on the CPU
	$(bin)/python -m pytest tests/gpu tests/redteam/test_gpu_attacks.py

fuzz: $(stamp) ## CASES hostile inputs for what reads notebooks, answers and messages: no crash, no hang, at most 1 GB
	$(bin)/python -m pytest -m fuzz --cases $(CASES) $(if $(FUZZ_SEED),--fuzz-seed $(FUZZ_SEED)) tests/fuzz

test-%: $(stamp) ## one folder of tests/, slow ones included: test-contract, test-example_class ...
	$(bin)/python -m pytest tests/$*

lint: $(stamp) ## ruff, mypy, and the layers of pyproject.toml
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/lint-imports

format: $(stamp) ## let ruff format the code and mend what it can
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

audit: $(stamp) ## grade the grader: right answers get 100, each known mistake fails and gets its own hint
	$(bin)/autograder audit --sandbox $(SANDBOX)

bench: $(stamp) ## how fast, against nbgrader: writes docs/performance.md
	$(bin)/python -m benchmarks --sandbox $(SANDBOX) --write

docker: ## install Docker from Debian's packages and start it (needs root)
	scripts/install-docker.sh

image: $(stamp) ## build the container image of docker sandboxes
	$(bin)/autograder image build

doctor: $(stamp) ## which walls stand on this machine
	@$(bin)/autograder doctor

clean: ## remove what make made: .venv, caches, build/; never anything in course/
	rm -rf $(VENV) build .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -r {} +

clean-example: ## remove the example class with its grades, pages and tables; refuses where other students are there too
	@[ -f $(marker) ] || { echo "course/submitted/ is not the example class: nothing is removed" >&2; exit 1; }
	@if [ -s $(marker) ] && ls course/submitted | grep --line-regexp --fixed-strings --invert-match --file=$(marker); then \
	  echo "these students are not of the example class: nothing is removed. Move their folders out of course/submitted/ first;" \
	    "their scores are in course/gradebook.db, which goes with the example" >&2; exit 1; \
	fi
	rm -rf course/submitted course/autograded course/feedback build/reports build/scores.csv
	rm -f course/gradebook.db course/gradebook.db-* course/attempts.db course/attempts.db-*
