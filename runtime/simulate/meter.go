package simulate

type meter struct{}

func (sv *service) measure() {}
