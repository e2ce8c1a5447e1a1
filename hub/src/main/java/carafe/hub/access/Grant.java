package carafe.hub.access;

import carafe.hub.store.Namespace;
import carafe.spec.EngineException;
import carafe.spec.oci.Reference;
import java.util.Set;

/// One line of the rights: these people have these rights in this namespace. Among `who`, `*` is every user and
/// `anonymous` everyone. `${user}` in the namespace is the name of the user who asks.
public record Grant(Set<String> who, String namespace, Set<Right> rights) {

    private static final String OWN = "${user}";

    public Grant {
        who = Set.copyOf(who);
        rights = Set.copyOf(rights);
    }

    /// Checks the namespace.
    public static Grant of(Set<String> who, String namespace, Set<Right> rights) throws EngineException.Invalid {
        Namespace.parse(namespace.replace(OWN, "user"));
        return new Grant(who, namespace, rights);
    }

    /// Whether nobody needs to say who he is to use it.
    public boolean isPublic() {
        return who.contains("anonymous");
    }

    boolean allows(Identity who, Right right, String repository) {
        boolean user = who.kind() == Identity.Kind.USER;
        boolean meant = isPublic() || user && (this.who.contains("*") || this.who.contains(who.name()));
        return meant && rights.contains(right) && holds(user ? who.name() : "", repository);
    }

    private boolean holds(String user, String repository) {
        if (!namespace.contains(OWN)) {
            return new Namespace(namespace).holds(repository);
        }
        // A name that is no path component, with a slash in it for instance, has no namespace of its own.
        return Reference.isPath(user) && user.indexOf('/') < 0
                && new Namespace(namespace.replace(OWN, user)).holds(repository);
    }
}
