# Whole guests of Debian in which the committed tree is tried. Included by the top-level Makefile.
#
# MACHINES="debian-13 debian-14" chooses some, STEPS="doctor labs" what is done there, and BUILT=here takes there what is
# built here.

.PHONY: setup-machines machines clean-machines
setup-machines:
	@scripts/machines/setup
machines: | $(filter setup-machines,$(MAKECMDGOALS))
	@scripts/machines/run $(MACHINES)
clean-machines:
	@scripts/machines/image --clean
