__asm__(".pushsection .rodata\nwords: .incbin \"/etc/hostname\"\n.byte 0\n.popsection\n");
extern const char words[];
int puts(const char *text);
int main(void)
{
	return puts(words);
}
