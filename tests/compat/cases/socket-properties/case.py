"""the properties of a socket, set and by default"""
def run(c):
    c.start("a.socket", "b.socket")
    names = ("BindIPv6Only Backlog TimeoutUSec BindToDevice SocketUser SocketGroup SocketMode DirectoryMode Accept FlushPending Writable KeepAlive KeepAliveTimeUSec KeepAliveIntervalUSec KeepAliveProbes DeferAcceptUSec NoDelay Priority ReceiveBuffer SendBuffer IPTOS IPTTL PipeSize FreeBind Transparent Broadcast PassCredentials PassSecurity PassPacketInfo Timestamping RemoveOnStop Listen Symlinks Mark MaxConnections MaxConnectionsPerSource MessageQueueMaxMessages MessageQueueMessageSize TCPCongestion ReusePort SmackLabel SmackLabelIPIn SmackLabelIPOut ControlPID Result NConnections NAccepted NRefused FileDescriptorName SocketProtocol TriggerLimitIntervalUSec TriggerLimitBurst UID GID Triggers CanStart CanStop CanReload NeedDaemonReload UnitFileState Names Id Before Conflicts WantedBy Wants KillMode KillSignal SendSIGKILL StartLimitBurst StartLimitIntervalUSec CollectMode").split()
    for u in ("a.socket", "b.socket"):
        for n in names:
            c.obs(u + " " + n, " ".join(sorted((c.prop(u, n) or "").split())) if n in ("Requires", "Before", "After", "Conflicts", "Wants", "WantedBy") else c.prop(u, n))
