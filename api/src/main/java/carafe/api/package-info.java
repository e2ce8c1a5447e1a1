@NullMarked
package carafe.api;

import org.jspecify.annotations.NullMarked;
