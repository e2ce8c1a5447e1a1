package carafe.engine;

/// How to remove: `force` kills a running one first; `volumes` removes its anonymous volumes too.
public record RemoveRequest(boolean force, boolean volumes) {}
