package message

// field is a field of an event or its object, or an entry of its metadata, "" if there is none. That of nil is nil.
func field(v value, name string) (value, bool) {
	switch v := v.(type) {
	case Data:
		return v.field(name)
	case Object:
		return v.field(name)
	case map[string]string:
		return v[name], true
	case nil:
		return nil, true
	default:
		return nil, false
	}
}

func (d *Data) field(name string) (value, bool) {
	switch name {
	case "Severity":
		return d.Severity, true
	case "Reason":
		return d.Reason, true
	case "Message":
		return d.Message, true
	case "InvolvedObject":
		return d.InvolvedObject, true
	case "Metadata":
		return d.Metadata, true
	case "Timestamp":
		return d.Timestamp, true
	case "ReportingController":
		return d.ReportingController, true
	case "Alert":
		return d.Alert, true
	case "Cluster":
		return d.Cluster, true
	default:
		return nil, false
	}
}

func (o *Object) field(name string) (value, bool) {
	switch name {
	case "Kind":
		return o.Kind, true
	case "Namespace":
		return o.Namespace, true
	case "Name":
		return o.Name, true
	case "APIVersion":
		return o.APIVersion, true
	default:
		return nil, false
	}
}

// truth is false for what is empty or zero.
func truth(v value) bool {
	switch v := v.(type) {
	case string:
		return v != ""
	case bool:
		return v
	case int:
		return v != 0
	case map[string]string:
		return len(v) > 0
	default:
		return v != nil
	}
}
