package store

import (
	"context"
)

// Present tells whether the customer has a page of the request open, shown or hidden.
func (s *Store) Present(ctx context.Context, requestUID string) (bool, error) {
	var visits []Visit
	err := s.db.NewSelect().Model(&visits).Where("request_uid = ?", requestUID).Where("state <> ?", VisitGone).Scan(ctx)
	return len(visits) > 0 && !allLeft(visits, s.now()), failed("looking for the customer", err)
}
