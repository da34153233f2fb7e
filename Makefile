# stretchnet.fabric: everything a newcomer types. `make help` lists it.
SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv/bin
PLAYBOOK := $(VENV)/ansible-playbook
INVENTORY := inventories/lab
CHANGE := inventories/lab/changes/stretch-vlan100.yml
# Begins the name of every namespace of the lab: STRETCHNET_LAB_PREFIX=mylab make demo makes another lab beside the first.
export STRETCHNET_LAB_PREFIX ?= snlab
LAB_PREFIX := $(STRETCHNET_LAB_PREFIX)
AS_ROOT := $(shell [ "$$(id -u)" -eq 0 ] || echo sudo -E)
# The controller stands in the lab's management network, as it would in a data centre.
IN_LAB := $(AS_ROOT) ip netns exec $(LAB_PREFIX)-mgmt env "PATH=$(CURDIR)/$(VENV):$(PATH)"
# Each lab has runs of its own: a new lab knows nothing of what was applied to the last one.
RUNS = runs/lab-$$(sha256sum /var/lib/$(LAB_PREFIX)/ssh/id_ed25519.pub | cut -c1-8)
RUNBOOK = $(IN_LAB) $(PLAYBOOK) -i $(INVENTORY) -e stretchnet_run_dir=$(RUNS)
# Real sockets and an emulated guest on a shared machine: a failure is looked at once more, and pytest says that it was.
ONCE_MORE := --reruns 1 --rerun-show-tracebacks
export ANSIBLE_NOCOWS := 1
export ANSIBLE_LOCALHOST_WARNING := False
export ANSIBLE_INVENTORY_UNPARSED_WARNING := False
export STRETCHNET_TRUTH ?= $(abspath ../shared/truth)
export STRETCHNET_NETBOX_TRUTH ?= $(abspath ../shared/netbox)

.PHONY: help setup setup-system setup-python setup-test lab-up lab-down lab-shell demo rollback unit test-slow \
	coverage cores mutants lint sanity sanity-quick galaxy docs-lint ee-lock trade test-lab test-lab-long \
	netbox-prepare test-netbox molecule-simulated molecule-ipam bench docs molecule standard slow-lint-prepare trade-and-netbox trade-in-turn test

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: setup-system setup-python ## Install the packages (root, says so first) and the virtual environment

setup-system:
	@.ci/setup-system

setup-python:
	@.ci/setup-python run

setup-test:
	@.ci/setup-python test

lab-up: setup ## Bring the two-site lab up (root: network namespaces)
	@echo "Needs root: the lab is made of network namespaces named $(LAB_PREFIX)-*; nothing of the host is touched."
	$(AS_ROOT) $(PLAYBOOK) -i $(INVENTORY) playbooks/lab_up.yml

lab-down: setup-python ## Remove the lab: no process, namespace, mount or file stays
	$(AS_ROOT) $(PLAYBOOK) -i $(INVENTORY) playbooks/lab_down.yml

lab-shell: ## A shell in the lab's management network
	@$(IN_LAB) $(SHELL)

demo: lab-up ## Lab up, stretch the VLAN, move the VM, print where the report is
	$(RUNBOOK) playbooks/stretch_vlan.yml -e change=$(CHANGE)

rollback: ## Move the VM back and take the stretch away again
	$(RUNBOOK) playbooks/rollback.yml -e change_id=$$(sed -n 's/^change_id: *//p' $(CHANGE))

unit: setup-test ## Unit tests: no root, no lab, under a minute
	$(VENV)/python -m pytest -n auto --dist loadfile -m "not slow and not long" tests/unit

test-slow: setup setup-test ## The unit tests that start programs and servers of their own (minutes; most of the time they wait)
	$(VENV)/python -m pytest -n 4 --dist loadfile $(ONCE_MORE) -m slow --durations=20 tests/unit

coverage: setup setup-test ## All the unit tests, the slow ones too; fails below 90 % on the floors 0 to 2
	$(VENV)/python -m pytest -n auto --dist loadfile -p no:rerunfailures -m "not long" --cov --cov-report=term:skip-covered tests/unit

cores: setup-test ## The glue on every supported ansible-core, each in an environment of its own
	.ci/cores

mutants: setup-test ## Take each guard of the transaction out in turn: some test must fail (20 minutes; docs/transaction.md)
	cd tests/unit/transaction && $(CURDIR)/$(VENV)/python txn_mutants.py --write

lint: setup-test ## ruff, mypy on the core, yamllint, ansible-lint (production), the changelog
	$(VENV)/ruff check .
	$(VENV)/ruff format --check --line-length 120 .
	cd .venv/src && $(CURDIR)/$(VENV)/mypy --config-file $(CURDIR)/pyproject.toml \
		--cache-dir $(CURDIR)/.mypy_cache -p ansible_collections.stretchnet.fabric.plugins.module_utils
	$(VENV)/yamllint -s .
	$(VENV)/ansible-lint --nocolor
	$(VENV)/antsibull-changelog lint

sanity: setup-test ## ansible-test sanity on the built collection, all of it (minutes)
	.ci/galaxy sanity

# All of sanity but the two that cost minutes: pylint, and the import of each file in an environment of its own.
sanity-quick: setup-test ## ansible-test sanity on the built collection without pylint and import
	.ci/galaxy sanity --skip-test pylint --skip-test import

galaxy: setup-test ## galaxy-importer on the built collection: no warning
	.ci/galaxy import

docs-lint: setup-test ## antsibull-docs and ansible-builder on the built collection
	.ci/galaxy docs

ee-lock: setup-test ## Pin what the execution environment installs anew, each file by its hash (extensions/execution-environment/*.lock)
	.ci/galaxy lock

test-lab: setup setup-test ## Tests on the real lab (root)
	@echo "Needs root: these tests bring the lab up and down."
	$(AS_ROOT) $(VENV)/python -m pytest $(ONCE_MORE) -m "lab and not long" --durations=20 tests/lab

test-lab-long: setup setup-test ## Every test on the real lab, the long ones too (root)
	@echo "Needs root: these tests bring the lab up and down."
	$(AS_ROOT) $(VENV)/python -m pytest $(ONCE_MORE) -m lab --durations=20 tests/lab

netbox-prepare: setup-test ## What test-netbox needs, once: may run in the background of other tests
	@.ci/setup-system .ci/packages-netbox.txt
	$(VENV)/python tests/netbox/netbox_server.py prepare .lab/netbox

test-netbox: netbox-prepare ## Tests on a real NetBox: PyPI's, with PostgreSQL and Redis on loopback
	$(VENV)/python -m pytest tests/netbox -m netbox --durations=10

# The scenarios are started as they are in an installed collection (docs/ci.md).
MOLECULE := env "PATH=$(CURDIR)/$(VENV):$(PATH)" molecule --base-config molecule/config.yml test
# One of them: make molecule-simulated SCENARIOS=faults
SCENARIOS ?= vendors unattended faults
molecule-simulated: setup setup-test ## The molecule scenarios on simulated EOS, NX-OS and Junos (no root)
	cd extensions && $(MOLECULE) $(SCENARIOS:%=--scenario-name %)
	$(VENV)/python -m pytest -m long tests/unit/mixed/test_mixed_molecule.py

molecule-ipam: setup netbox-prepare ## The molecule scenario of the address plan: the same switches, and a real NetBox
	cd extensions && $(MOLECULE) --scenario-name ipam

bench: ## Measure against netmiko, NAPALM, Nornir and Ansible's own content, on simulated switches; fails behind a goal
	@.ci/setup-python bench
	.venv-bench/bin/python tests/bench/bench.py --write docs/performance.md

docs: setup-test ## The documentation site into .lab/site; a broken link fails it
	.ci/docs

molecule: setup setup-test ## The molecule scenario: lab, stretch, move, rollback (root)
	@echo "Needs root: the scenario brings the lab up and down."
	cd extensions && { $(AS_ROOT) $(MOLECULE) --scenario-name default || { \
		echo "It failed: looked at once more, from the beginning."; $(AS_ROOT) $(MOLECULE) --scenario-name default; }; }

trade: docs-lint galaxy sanity-quick ## What Galaxy and AWX ask of a collection, as far as it is cheap

# For a release. `make test` holds the cheap part of it, `trade`; the rest would not fit into 45 minutes beside the lab.
standard: sanity galaxy docs-lint coverage cores molecule-simulated molecule-ipam ## What certified content is held to (half an hour)

# The slow tests wait much of their time: what the real NetBox needs is fetched meanwhile, and the sources are read.
slow-lint-prepare:
	$(MAKE) -j3 --output-sync=target test-slow lint netbox-prepare

# Each of the two is one program at a time, and most of that is Python on one core.
trade-and-netbox:
	$(MAKE) -j2 --output-sync=target trade-in-turn test-netbox

trade-in-turn:
	$(MAKE) -j1 trade

# Cheap first, and one after the other: what is measured on the lab is not to share its two cores (CONTRIBUTING.md says what each costs).
test: setup setup-test unit slow-lint-prepare trade-and-netbox test-lab molecule ## All the tests; .ci/run calls just this
