package carafe.http;

/// The user and group of the process that connected to a unix socket, as of its connect.
/// The process id is absent: the JDK does not tell it, and a process id is no proof of identity anyway (it is reused).
/// Source: unix(7), SO_PEERCRED.
public record PeerCredentials(int uid, int gid, String user, String group) {}
