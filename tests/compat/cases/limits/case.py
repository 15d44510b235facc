"""limits and scheduling"""
def run(c):
    c.obs("a", [c.start("a.service"), c.full("a.service")])
    j = c.waitjson("/run/a.json"); c.obs("a seen", [j.get("limits"), j.get("umask"), j.get("nice"), j.get("oom")])
    c.obs("a show", [c.prop("a.service", p) for p in "LimitNOFILE LimitNOFILESoft LimitCORE LimitCPU LimitFSIZE LimitSTACK LimitSTACKSoft LimitNPROC LimitMEMLOCK LimitNICE LimitRTTIME Nice OOMScoreAdjust UMask IOSchedulingClass CPUSchedulingPolicy TimerSlackNSec IgnoreSIGPIPE".split()])
    c.obs("b", [c.start("b.service"), c.full("b.service"), [c.prop("b.service", p) for p in "Nice UMask OOMScoreAdjust".split()]])
