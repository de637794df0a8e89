# A class: the kit, the grades, and what belongs to them. Included by the top-level Makefile.
#
# CLASS=FOLDER is what the instructor keeps (class): rules, key, runs. See README.md beside this file.

.PHONY: setup-class handout
setup-class:
	@scripts/setup --class
	@$(as_owner) scripts/class/npm/fetch
handout: all
	@scripts/class/handout
.PHONY: grade-class regrade
grade-class: all
	@scripts/class/grade-class $(call but,= 1)
regrade: all
	@scripts/class/grade-class --again $(call but,= 1)
.PHONY: class-sample class-format questions viva likeness forget
class-sample:
	@scripts/class/sample
class-format:
	@scripts/class/format $(call but,= 1)
questions: all
	@scripts/class/questions
viva:
	@scripts/class/viva
likeness:
	@scripts/class/likeness
forget:
	@scripts/class/forget
.PHONY: autograder
autograder: all
	@scripts/class/autograder
.PHONY: slides
record-%: all
	@scripts/class/record $* $(call but,= 1)
slides:
	@scripts/class/slides
