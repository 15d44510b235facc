#include "conf/builtin.h"

#include "base/str.h"

struct builtin {
        const char *name, *text;
        const char *user_text; // NULL: the same
};

#define PASSIVE "RefuseManualStart=yes\n"
#define EARLY "DefaultDependencies=no\nConflicts=shutdown.target\n"
#define ENDING \
        "DefaultDependencies=no\nAllowIsolate=yes\nRequires=shutdown.target\nAfter=shutdown.target umount.target final.target\n"

static const struct builtin table[] = {
        {"basic.target",
         "[Unit]\nDescription=Basic System\nRequires=sysinit.target\n"
         "Wants=sockets.target timers.target paths.target slices.target\n"
         "After=sysinit.target sockets.target paths.target slices.target\n",
         "[Unit]\nDescription=Basic System\n"
         "Wants=sockets.target timers.target paths.target\n"
         "After=sockets.target timers.target paths.target\n"},
        {"emergency.target", "[Unit]\nDescription=Emergency Mode\nAllowIsolate=yes\n", NULL},
        {"exit.target", "[Unit]\nDescription=Exit the Supervisor\n" ENDING, NULL},
        {"final.target",
         "[Unit]\nDescription=Late Shutdown Services\nDefaultDependencies=no\n" PASSIVE
         "After=shutdown.target umount.target\n",
         NULL},
        {"getty.target", "[Unit]\nDescription=Login Prompts\n", NULL},
        {"graphical.target",
         "[Unit]\nDescription=Graphical Interface\nRequires=multi-user.target\n"
         "Wants=display-manager.service\nConflicts=rescue.service rescue.target\n"
         "After=multi-user.target rescue.service rescue.target display-manager.service\n"
         "AllowIsolate=yes\n",
         NULL},
        {"halt.target", "[Unit]\nDescription=System Halt\n" ENDING, NULL},
        {"kexec.target", "[Unit]\nDescription=Reboot via kexec\n" ENDING, NULL},
        {"local-fs-pre.target", "[Unit]\nDescription=Preparation for Local File Systems\n" PASSIVE,
         NULL},
        {"local-fs.target",
         "[Unit]\nDescription=Local File Systems\n" EARLY "After=local-fs-pre.target\n", NULL},
        {"multi-user.target",
         "[Unit]\nDescription=Multi-User System\nRequires=basic.target\n"
         "Conflicts=rescue.service rescue.target\n"
         "After=basic.target rescue.service rescue.target\nAllowIsolate=yes\n",
         NULL},
        {"network-online.target", "[Unit]\nDescription=Network is Online\nAfter=network.target\n",
         NULL},
        {"network-pre.target", "[Unit]\nDescription=Preparation for Network\n" PASSIVE, NULL},
        {"network.target", "[Unit]\nDescription=Network\nAfter=network-pre.target\n" PASSIVE, NULL},
        {"nss-lookup.target", "[Unit]\nDescription=Host and Network Name Lookups\n" PASSIVE, NULL},
        {"nss-user-lookup.target", "[Unit]\nDescription=User and Group Name Lookups\n" PASSIVE,
         NULL},
        {"paths.target", "[Unit]\nDescription=Path Units\n", NULL},
        {"poweroff.target", "[Unit]\nDescription=System Power Off\n" ENDING, NULL},
        {"reboot.target", "[Unit]\nDescription=System Reboot\n" ENDING, NULL},
        {"remote-fs-pre.target",
         "[Unit]\nDescription=Preparation for Remote File Systems\n" PASSIVE, NULL},
        {"remote-fs.target",
         "[Unit]\nDescription=Remote File Systems\n" EARLY "After=remote-fs-pre.target\n", NULL},
        {"rescue.target",
         "[Unit]\nDescription=Rescue Mode\nRequires=sysinit.target\nAfter=sysinit.target\n"
         "AllowIsolate=yes\n",
         NULL},
        {"rpcbind.target", "[Unit]\nDescription=RPC Port Mapper\n" PASSIVE, NULL},
        {"shutdown.target", "[Unit]\nDescription=System Shutdown\nDefaultDependencies=no\n" PASSIVE,
         NULL},
        {"slices.target", "[Unit]\nDescription=Slice Units\n", NULL},
        {"sockets.target", "[Unit]\nDescription=Socket Units\n", NULL},
        {"swap.target", "[Unit]\nDescription=Swaps\n", NULL},
        {"sysinit.target",
         "[Unit]\nDescription=System Initialization\nWants=local-fs.target swap.target\n"
         "After=local-fs.target swap.target\nConflicts=emergency.target\n"
         "Before=emergency.target\n",
         NULL},
        {"time-set.target", "[Unit]\nDescription=System Time Set\n" PASSIVE, NULL},
        {"time-sync.target",
         "[Unit]\nDescription=System Time Synchronized\nAfter=time-set.target\n"
         "Wants=time-set.target\n" PASSIVE,
         NULL},
        {"timers.target", "[Unit]\nDescription=Timer Units\n" EARLY, NULL},
        {"umount.target",
         "[Unit]\nDescription=Unmount All Filesystems\nDefaultDependencies=no\n" PASSIVE, NULL},
};

const char *builtin_find(const char *name, bool is_user)
{
        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (streq(name, table[i].name))
                        return is_user && table[i].user_text ? table[i].user_text : table[i].text;
        return NULL;
}
