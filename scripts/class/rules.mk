# A class: the kit, the grades, and what belongs to them. Included by the top-level Makefile.
#
# CLASS=FOLDER is what the instructor keeps (class): rules, key, runs. See README.md beside this file.

.PHONY: setup-class handout
setup-class:
	@scripts/setup --class
handout: all
	@scripts/class/handout
