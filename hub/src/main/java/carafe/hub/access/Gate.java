package carafe.hub.access;

import carafe.hub.store.Refusal;
import carafe.hub.store.Refusal.Reason;
import java.util.List;

/// The one place that decides whether somebody may do something. Nothing is allowed but what a grant allows; a token
/// only ever narrows what its owner may do now.
public final class Gate {

    private final List<Grant> grants;

    /// With these grants.
    public Gate(List<Grant> grants) {
        this.grants = List.copyOf(grants);
    }

    /// Whether `who` has `right` in `repository`.
    public boolean allows(Identity who, Right right, String repository) {
        return owns(who, right, repository)
                && who.ticket().map(ticket -> ticket.allows(right, repository)).orElse(true);
    }

    /// Whether `who` is shown `repository` in a listing: who may pull from it, with a token that may list or is for it.
    public boolean lists(Identity who, String repository) {
        return owns(who, Right.PULL, repository) && who.ticket()
                .map(ticket -> ticket.catalog() || ticket.allows(Right.PULL, repository)).orElse(true);
    }

    private boolean owns(Identity who, Right right, String repository) {
        return who.kind() == Identity.Kind.LOCAL
                || grants.stream().anyMatch(grant -> grant.allows(who, right, repository));
    }

    /// Passes who has `right` in `repository`.
    /// @throws Refusal UNAUTHORIZED when saying who he is, or a token for this, could help; else DENIED
    public void require(Identity who, Right right, String repository) throws Refusal {
        if (allows(who, right, repository)) {
            return;
        }
        if (who.kind() == Identity.Kind.ANONYMOUS || owns(who, right, repository)) {
            throw new Refusal(Reason.UNAUTHORIZED, "to " + right.word() + " " + repository + " you must log in first");
        }
        throw new Refusal(Reason.DENIED, who.name() + " may not " + right.word() + " " + repository);
    }

    /// Whether `who` is an administrator of everything.
    public boolean administers(Identity who) {
        return who.kind() == Identity.Kind.LOCAL
                || who.ticket().isEmpty() && grants.stream().anyMatch(grant -> grant.namespace().equals("**")
                        && grant.allows(who, Right.ADMIN, "x"));
    }

    /// The part of what a token is asked for that its owner has.
    public Ticket narrow(Identity who, Ticket asked) {
        return new Ticket(asked.scopes().stream()
                .map(scope -> new Ticket.Scope(scope.repository(), scope.rights().stream()
                        .filter(right -> owns(who, right, scope.repository()))
                        .collect(java.util.stream.Collectors.toUnmodifiableSet())))
                .filter(scope -> !scope.rights().isEmpty())
                .toList(), asked.catalog());
    }
}
