// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Everything that an object can ask of the kernel that it is loaded into. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#ifndef bpf_ksym_exists
#define bpf_ksym_exists(symbol) ({ !!(long)&symbol; })
#endif


extern int LINUX_KERNEL_VERSION __kconfig;
extern _Bool LINUX_HAS_BPF_COOKIE __kconfig __weak;
extern _Bool LINUX_HAS_SYSCALL_WRAPPER __kconfig __weak;
extern _Bool CONFIG_BPF __kconfig;
extern enum libbpf_tristate CONFIG_BPF_SYSCALL __kconfig;
extern unsigned long CONFIG_HZ __kconfig;
extern char CONFIG_CC_VERSION_TEXT[96] __kconfig;
extern char CONFIG_NET __kconfig;
extern __u16 CONFIG_SKEP_HAS_NO_SUCH __kconfig __weak;

extern const void __start_BTF __ksym;
extern const void skep_has_no_such_symbol __ksym __weak;
extern const int bpf_prog_active __ksym;
extern const int skep_has_no_such_variable __ksym __weak;

extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void *bpf_rdonly_cast___flavoured(const void *object, __u32 type) __ksym __weak;
extern int skep_has_no_such_function(int value) __ksym __weak;

SEC("socket/kconfig")
int kconfig(struct __sk_buff *packet)
{
	if (!CONFIG_BPF || CONFIG_BPF_SYSCALL != TRI_YES || CONFIG_NET != 'y' || CONFIG_SKEP_HAS_NO_SUCH)
		return 0;
	return LINUX_KERNEL_VERSION;
}

SEC("socket/text")
int text(struct __sk_buff *packet)
{
	return CONFIG_CC_VERSION_TEXT[packet->len & 63] + CONFIG_HZ + LINUX_HAS_BPF_COOKIE + LINUX_HAS_SYSCALL_WRAPPER;
}

SEC("socket/symbols")
int symbols(struct __sk_buff *packet)
{
	if (&skep_has_no_such_symbol || &skep_has_no_such_variable)
		return 0;
	return (__u64)&__start_BTF >> 32;
}

SEC("socket/variable")
int variable(struct __sk_buff *packet)
{
	const int *active = bpf_per_cpu_ptr(&bpf_prog_active, 0);

	return active ? *active + 100 : 0;
}

SEC("socket/functions")
int functions(struct __sk_buff *packet)
{
	int result = 7;

	if (bpf_ksym_exists(skep_has_no_such_function))
		return skep_has_no_such_function(1);
	if (!bpf_ksym_exists(bpf_rdonly_cast___flavoured))
		return 0;
	bpf_rcu_read_lock();
	result += packet->len;
	bpf_rcu_read_unlock();
	return result;
}

SEC("?socket/unguarded")
int unguarded(struct __sk_buff *packet)
{
	return skep_has_no_such_function(packet->len);
}

char LICENSE[] SEC("license") = "GPL";
